/** The page's words in its reader's language, in Fluent (pure but for the signal that says which). */

import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";
import { signal } from "@preact/signals";

import { direction } from "../text/languages";

export type Arguments = Record<string, FluentVariable>;

/** Languages the page speaks, by tag. */
const bundles = new Map<string, FluentBundle>();

export const locale = signal("en");

/** Teaches the page a language. */
export function teach(tag: string, source: string): void {
  const bundle = new FluentBundle(tag);
  const [error] = bundle.addResource(new FluentResource(source));
  if (error !== undefined) {
    throw error;
  }
  bundles.set(tag, bundle);
}

export const spoken = () => [...bundles.keys()];

/** The language of the page for somebody who reads these. */
export function choose(wanted: readonly string[]): string {
  for (const tag of wanted) {
    const language = tag.split("-")[0] ?? "";
    if (bundles.has(tag)) {
      return tag;
    }
    if (bundles.has(language)) {
      return language;
    }
  }
  return "en";
}

export const localeDirection = () => direction(locale.value) as "ltr" | "rtl";

/** A message of the page's, in the current language; in English where it lacks one. */
export function t(id: string, values?: Arguments): string {
  for (const tag of [locale.value, "en"]) {
    const bundle = bundles.get(tag);
    const message = bundle?.getMessage(id);
    if (bundle !== undefined && message?.value) {
      return bundle.formatPattern(message.value, values ?? null, []);
    }
  }
  return id;
}
