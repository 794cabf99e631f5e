/** What this browser remembers of its user: how the page looks, and where one was. */

import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";

function remembered<T extends string>(name: string, fallback: T) {
  const key = `hubbub.${name}`;
  const kept = signal((read(key) ?? fallback) as T);
  effect(() => {
    try {
      localStorage.setItem(key, kept.value);
    } catch {
      // A browser that keeps nothing has forgotten it after the visit; that is all.
    }
  });
  return kept;
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export const theme = remembered<Theme>("theme", "auto");
/** The language of the page; empty: the browser's. */
export const pageLanguage = remembered<string>("language", "");
export const lastRoom = remembered<string>("room", "");
export const areMembersShown = remembered<"yes" | "no">("members", matchMedia("(min-width: 1100px)").matches ? "yes" : "no");

/** Puts the theme on the page. */
export function applyTheme(): void {
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
  });
}

/** A text that lives as long as the tab, also over a reload. */
export function tabStore(name: string): { read(): string | null; write(text: string): void } {
  let spare: string | null = null;
  return {
    read: () => {
      try {
        return sessionStorage.getItem(name);
      } catch {
        return spare;
      }
    },
    write: (text) => {
      spare = text;
      try {
        sessionStorage.setItem(name, text);
      } catch {
        // Kept in memory only: a reload would lose it, and nothing else does.
      }
    },
  };
}
