/**
 * Calls that must not be lost: kept until they are acknowledged, also over a reload of the page (pure).
 *
 * Sends nothing (see `delivery`); where they are kept comes from outside.
 */

/** One call, with a key by which the server knows a repetition. */
export interface Call {
  readonly key: string;
  readonly method: string;
  readonly params: unknown;
}

/** Where calls are kept: one text, such as an entry of `localStorage`. */
export interface Store {
  read(): string | null;
  write(text: string): void;
}

/** A store that forgets with the page. */
export function memory(): Store {
  let kept: string | null = null;
  return {
    read: () => kept,
    write: (text) => {
      kept = text;
    },
  };
}

/** Calls in the order in which they were made. */
export class Outbox {
  private calls: Call[];

  /**
   * @param store where they are kept
   * @param key makes keys that nobody else makes
   * @param limit how many may wait; one more is refused
   */
  constructor(
    private readonly store: Store,
    private readonly key: () => string = () => crypto.randomUUID(),
    private readonly limit = 1000,
  ) {
    this.calls = parse(store.read());
  }

  /** All that wait, the oldest first. */
  get waiting(): readonly Call[] {
    return this.calls;
  }

  /**
   * Keeps one more call.
   *
   * @throws RangeError if too many wait already
   */
  add(method: string, params: unknown): Call {
    if (this.calls.length >= this.limit) {
      throw new RangeError(`too many calls wait: ${this.limit}`);
    }
    const call = { key: this.key(), method, params };
    this.keep([...this.calls, call]);
    return call;
  }

  /** Forgets a call: it has arrived, or will never be accepted. False if nobody knows it. */
  settle(key: string): boolean {
    const left = this.calls.filter((call) => call.key !== key);
    const isKnown = left.length < this.calls.length;
    if (isKnown) {
      this.keep(left);
    }
    return isKnown;
  }

  private keep(calls: Call[]): void {
    // Written before it is believed: a store that is full must not make us forget what it has.
    this.store.write(JSON.stringify(calls));
    this.calls = calls;
  }
}

function parse(text: string | null): Call[] {
  if (text === null) {
    return [];
  }
  try {
    const found: unknown = JSON.parse(text);
    return Array.isArray(found) ? found.filter(isCall) : [];
  } catch {
    // Somebody else's, or cut off: nothing of ours can be read from it.
    return [];
  }
}

function isCall(value: unknown): value is Call {
  const call = value as Partial<Call> | null;
  return typeof call?.key === "string" && typeof call.method === "string";
}
