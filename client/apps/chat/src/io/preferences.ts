/** What this browser remembers of its user: how the page looks, and where one was. */

import { effect, signal } from "@preact/signals";

import { memory, type Store } from "../../../../src/outbox";

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

/** What lives as long as the tab, also over a reload. */
export function tabStore(): Store {
  const kept = session();
  return {
    get length() {
      return kept.length;
    },
    key: (at) => kept.key(at),
    getItem: (name) => kept.getItem(name),
    setItem: (name, text) => {
      try {
        kept.setItem(name, text);
      } catch {
        // Full: a reload would lose it, and nothing else does.
      }
    },
    removeItem: (name) => kept.removeItem(name),
  };
}

function session(): Store {
  try {
    return sessionStorage;
  } catch {
    // A browser that keeps nothing: a reload loses all.
    return memory();
  }
}
