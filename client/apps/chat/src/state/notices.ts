/** Short notices that pass by: what was refused, what was done. */

import { signal } from "@preact/signals";

export interface Notice {
  id: number;
  text: string;
  tone: "info" | "error";
}

export interface Announcement {
  id: number;
  text: string;
}

const SHOWN_MS = 6_000;
const KEPT = 10;

export const notices = signal<readonly Notice[]>([]);
/** What is read to those who do not see the page: a log, so that the same words are read again, and none is replaced. */
export const announcements = signal<readonly Announcement[]>([]);

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
  last += 1;
  announcements.value = [...announcements.value.slice(1 - KEPT), { id: last, text }];
}
