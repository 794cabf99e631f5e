/** What is open on the page: dialogs, panels, the drawer of a phone. */

import { signal } from "@preact/signals";

export type DialogName = "settings" | "create" | "help" | "room" | "date";
export type PanelName = "members" | "search";

export interface Confirmation {
  title: string;
  text: string;
  action: string;
  onConfirm: () => void;
}

export const dialog = signal<DialogName | undefined>(undefined);
export const confirmation = signal<Confirmation | undefined>(undefined);
export const panel = signal<PanelName | undefined>(undefined);
export const isDrawerOpen = signal(false);
/** The language one has said to write in; empty: it is detected. */
export const writingIn = signal("");

/** Asks before something that cannot be taken back. */
export function confirmFirst(wanted: Confirmation): void {
  confirmation.value = wanted;
}

export function focusComposer(): void {
  document.querySelector<HTMLTextAreaElement>("#composer")?.focus();
}
