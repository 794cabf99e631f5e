/** Short notices that pass by: what was refused, what was done. */

import { signal } from "@preact/signals";

export interface Notice {
  id: number;
  text: string;
  tone: "info" | "error";
}

const SHOWN_MS = 6_000;

export const notices = signal<readonly Notice[]>([]);
/** What is read to those who do not see the page. */
export const announcement = signal("");

let last = 0;

export function notice(text: string, tone: Notice["tone"] = "info"): void {
  last += 1;
  const id = last;
  notices.value = [...notices.value.slice(-2), { id, text, tone }];
  setTimeout(() => dismiss(id), SHOWN_MS);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((one) => one.id !== id);
}

export function announce(text: string): void {
  announcement.value = text;
}
