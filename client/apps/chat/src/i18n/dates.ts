/** Times, days and sizes as the reader writes them. */

import { locale, t } from "./bundles";

const made = new Map<string, Intl.DateTimeFormat>();

/** The page's language as it is written where the reader lives: 16:00 or 4 PM. */
const region = () => navigator.languages.find((tag) => tag.split("-")[0] === locale.value) ?? locale.value;

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale.value + JSON.stringify(options);
  const known = made.get(key) ?? new Intl.DateTimeFormat(region(), options);
  made.set(key, known);
  return known;
}

export const timeOf = (ts: number) => format({ hour: "numeric", minute: "2-digit" }).format(ts);

export const fullTimeOf = (ts: number) => format({ dateStyle: "full", timeStyle: "short" }).format(ts);

/** "Today", "Yesterday", or the day's name and date. */
export function dayOf(ts: number, now = Date.now()): string {
  const day = new Date(ts).toDateString();
  if (day === new Date(now).toDateString()) {
    return t("today");
  }
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (day === yesterday.toDateString()) {
    return t("yesterday");
  }
  const isThisYear = new Date(ts).getFullYear() === new Date(now).getFullYear();
  return format({ weekday: "long", day: "numeric", month: "long", ...(isThisYear ? {} : { year: "numeric" }) }).format(ts);
}

export const dateOf = (ts: number) => format({ dateStyle: "medium" }).format(ts);

/** Names in a list: "Ada, Béa and علي". */
export const listOf = (names: readonly string[]) =>
  new Intl.ListFormat(locale.value, { style: "long", type: "conjunction" }).format(names);

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** How large a file is: "1.2 MB". */
export function sizeOf(bytes: number): string {
  const step = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  const options = { style: "unit", unit: UNITS[step] as string, unitDisplay: "short", maximumFractionDigits: step === 0 ? 0 : 1 } as const;
  return new Intl.NumberFormat(region(), options).format(bytes / 1000 ** step);
}
