/**
 * The translator that is built into the browser, where there is one: nothing leaves the device.
 *
 * A pair whose model is not there yet is downloaded only when its reader asks for it, with a click.
 */

import { translatable } from "../text/languages";
import type { Engine, Wish } from "./chain";
import { protect } from "./protect";
import { Queue } from "./queue";

export type Availability = "unavailable" | "downloadable" | "downloading" | "available";

interface Pair {
  sourceLanguage: string;
  targetLanguage: string;
}

interface Monitor {
  addEventListener(type: "downloadprogress", listener: (event: { loaded: number }) => void): void;
}

/** As much of the browser's `Translator` as is used. */
export interface TranslatorApi {
  availability(pair: Pair): Promise<Availability | null>;
  create(
    options: Pair & { signal?: AbortSignal; monitor?: (monitor: Monitor) => void },
  ): Promise<{ translate(text: string, options?: { signal?: AbortSignal }): Promise<string> }>;
}

export class BrowserEngine implements Engine {
  readonly name = "browser";
  private readonly made = new Map<string, ReturnType<TranslatorApi["create"]>>();
  // It works off one call after the other anyway; here those that scroll away can still be taken back.
  private readonly queue = new Queue(1);

  /**
   * @param api the browser's, if it has one
   * @param offer hears of a pair that would be there after a download
   */
  constructor(
    private readonly api: TranslatorApi | undefined,
    private readonly offer: (source: string, target: string) => void = () => {},
  ) {}

  async translate(wish: Wish, signal: AbortSignal): Promise<string | undefined> {
    const pair = toPair(wish.source, wish.target);
    if (this.api === undefined) {
      return undefined;
    }
    if (!this.made.has(keyOf(pair))) {
      const availability = await this.api.availability(pair);
      if (availability === "downloadable" || availability === "downloading") {
        this.offer(pair.sourceLanguage, pair.targetLanguage);
      }
      if (availability !== "available") {
        return undefined;
      }
    }
    const translator = await this.create(pair);
    const { text, restore } = protect(wish.text);
    const translated = await this.queue.run(() => translator.translate(text, { signal }), signal);
    return restore(translated);
  }

  /** Downloads what a pair needs. To be called from a click. */
  async download(source: string, target: string, progress: (part: number) => void): Promise<void> {
    await this.create(toPair(source, target), (monitor) =>
      monitor.addEventListener("downloadprogress", ({ loaded }) => progress(loaded)),
    );
  }

  private create(pair: Pair, monitor?: (monitor: Monitor) => void): ReturnType<TranslatorApi["create"]> {
    const key = keyOf(pair);
    const known = this.made.get(key);
    if (known !== undefined) {
      return known;
    }
    const api = this.api as TranslatorApi;
    const made = api.create(monitor === undefined ? pair : { ...pair, monitor });
    this.made.set(key, made);
    // One that could not be made may be made later.
    made.catch(() => this.made.delete(key));
    return made;
  }
}

function toPair(source: string, target: string): Pair {
  return { sourceLanguage: translatable(source), targetLanguage: translatable(target) };
}

function keyOf(pair: Pair): string {
  return `${pair.sourceLanguage} ${pair.targetLanguage}`;
}
