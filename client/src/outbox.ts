/**
 * Calls that must not be lost: kept until they are acknowledged, also over a reload of the page (pure).
 *
 * Sends nothing (see `delivery`); where they are kept comes from outside.
 */

import { randomKey } from "./key";

/** One call, with a key by which the server knows a repetition. */
export interface Call {
  readonly key: string;
  readonly method: string;
  readonly params: unknown;
}

/**
 * Where calls are kept, each by itself: tabs that share a place, such as `localStorage`, cannot overwrite each other's.
 */
export type Store = Pick<Storage, "length" | "key" | "getItem" | "setItem" | "removeItem">;

/** A store that forgets with the page. */
export function memory(): Store {
  const kept = new Map<string, string>();
  return {
    get length() {
      return kept.size;
    },
    key: (at) => [...kept.keys()][at] ?? null,
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, text) => void kept.set(name, text),
    removeItem: (name) => void kept.delete(name),
  };
}

/**
 * Calls in the order in which they were made.
 *
 * It begins with what it finds in its store: what a tab that is closed or reloaded has left is delivered by the next
 * one that opens. A tab that is still there delivers it, too: the server knows by the key that it is the same call.
 */
export class Outbox {
  private calls: readonly Call[];
  private last: number;

  /**
   * @param store where they are kept
   * @param name what their entries begin with; there may be other things in the store
   * @param key makes keys that nobody else makes
   * @param limit how many may wait; one more is refused
   */
  constructor(
    private readonly store: Store,
    private readonly name = "hubbub.outbox",
    private readonly key: () => string = randomKey,
    private readonly limit = 1000,
  ) {
    const kept = this.found().sort((one, other) => one.order - other.order || (one.call.key < other.call.key ? -1 : 1));
    this.calls = kept.map(({ call }) => call);
    this.last = kept.at(-1)?.order ?? 0;
  }

  /** All that wait, the oldest first. */
  get waiting(): readonly Call[] {
    return this.calls;
  }

  /**
   * Keeps one more call.
   *
   * @throws RangeError if too many wait already; what the store throws if it is full
   */
  add(method: string, params: unknown): Call {
    if (this.calls.length >= this.limit) {
      throw new RangeError(`too many calls wait: ${this.limit}`);
    }
    const call = { key: this.key(), method, params };
    const order = this.last + 1;
    // Written before it is believed: its author must know if it would be lost with the page.
    this.store.setItem(this.entry(call.key), JSON.stringify({ order, call }));
    this.last = order;
    this.calls = [...this.calls, call];
    return call;
  }

  /** Forgets a call: it has arrived, or will never be accepted. False if nobody knows it. */
  settle(key: string): boolean {
    const left = this.calls.filter((call) => call.key !== key);
    const isKnown = left.length < this.calls.length;
    if (isKnown) {
      this.store.removeItem(this.entry(key));
      this.calls = left;
    }
    return isKnown;
  }

  private entry(key: string): string {
    return `${this.name}/${key}`;
  }

  private found(): Kept[] {
    const names = Array.from({ length: this.store.length }, (_, at) => this.store.key(at) ?? "");
    return names.flatMap((name) => {
      const kept = name.startsWith(this.entry("")) ? parse(this.store.getItem(name)) : undefined;
      // By its whole name: another outbox may be called as this one and more.
      return kept !== undefined && this.entry(kept.call.key) === name ? [kept] : [];
    });
  }
}

/** An entry of a store. */
interface Kept {
  readonly order: number;
  readonly call: Call;
}

function parse(text: string | null): Kept | undefined {
  try {
    const found = JSON.parse(text ?? "") as Partial<Kept> | null;
    return typeof found?.order === "number" && isCall(found.call) ? { order: found.order, call: found.call } : undefined;
  } catch {
    // Somebody else's, or cut off: nothing of ours can be read from it.
    return undefined;
  }
}

function isCall(value: unknown): value is Call {
  const call = value as Partial<Call> | null;
  return typeof call?.key === "string" && typeof call.method === "string";
}
