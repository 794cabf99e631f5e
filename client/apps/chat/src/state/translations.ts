/** Which translation stands beside a message, and where it comes from. */

import { signal } from "@preact/signals";

import { BrowserEngine, type TranslatorApi } from "../translation/browser";
import { Chain } from "../translation/chain";
import { Detector, type DetectorApi } from "../translation/detector";
import { hasWords } from "../translation/protect";
import { ServerEngine } from "../translation/server";
import { understands } from "../text/languages";
import type { Attached, Me, Message } from "../wire";

/** A model that the browser could download. */
export interface Offer {
  source: string;
  target: string;
  /** How much of it is there; `undefined` before it was asked for. */
  progress?: number;
}

const scope = globalThis as { Translator?: TranslatorApi; LanguageDetector?: DetectorApi };

/** What was declined is not offered again before the next visit. */
const declined = new Set<string>();
const pairOf = ({ source, target }: Pick<Offer, "source" | "target">) => `${source} ${target}`;

export const offers = signal<readonly Offer[]>([]);
/** How many models have come: what was not translated then may be now. */
export const downloads = signal(0);

const browser = new BrowserEngine(scope.Translator, (source, target) => {
  const pair = pairOf({ source, target });
  if (!declined.has(pair) && !offers.peek().some((offer) => pairOf(offer) === pair)) {
    offers.value = [...offers.peek(), { source, target }];
  }
});

export const chain = new Chain([browser, new ServerEngine((...request) => fetch(...request))]);
export const detector = new Detector(scope.LanguageDetector);

/** Downloads a model. To be called from a click, as browsers demand. */
export async function download(offer: Offer): Promise<void> {
  const change = (made?: Offer) => {
    offers.value = offers
      .peek()
      .flatMap((one) => (pairOf(one) !== pairOf(offer) ? [one] : made ? [made] : []));
  };
  change({ ...offer, progress: 0 });
  try {
    await browser.download(offer.source, offer.target, (progress) => change({ ...offer, progress }));
    change();
    downloads.value += 1;
  } catch {
    change(offer);
  }
}

export function decline(): void {
  for (const offer of offers.peek()) {
    declined.add(pairOf(offer));
  }
  offers.value = [];
}

/** Whether a reader needs a translation of it. */
export function isForeign(message: Message, me: Me): boolean {
  return (
    !message.deleted && message.user !== me.user && !understands([...me.langs, me.preferred], message.lang) && hasWords(message.text)
  );
}

/** A translation that travelled with the message. */
export function attachedTo(message: Message, target: string): Attached | undefined {
  for (const [lang, attached] of Object.entries(message.translations ?? {})) {
    if (understands([target], lang)) {
      return attached;
    }
  }
  return undefined;
}
