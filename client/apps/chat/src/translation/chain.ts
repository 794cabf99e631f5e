/**
 * Engines one after the other, until one translates; what was translated is remembered (pure).
 *
 * Whatever happens, the reader has the original meanwhile: a translation that fails is told, never waited for.
 */

export interface Wish {
  readonly text: string;
  readonly source: string;
  readonly target: string;
  /** The message it belongs to, if it is one that others read, too. */
  readonly message?: string;
}

export interface Translation {
  readonly text: string;
  readonly engine: string;
}

/** Something that translates. */
export interface Engine {
  readonly name: string;
  /** The translation; `undefined` if this engine cannot do that pair. Rejects if it failed. */
  translate(wish: Wish, signal: AbortSignal): Promise<string | undefined>;
}

/** No engine could do it. */
export class Untranslated extends Error {
  constructor(readonly reasons: readonly unknown[]) {
    super("no engine translates this");
  }
}

interface Flight {
  readonly result: Promise<Translation>;
  readonly abort: AbortController;
  waiting: number;
}

export class Chain {
  private readonly known = new Map<string, Translation>();
  private readonly flights = new Map<string, Flight>();

  constructor(
    private readonly engines: readonly Engine[],
    private readonly limit = 2000,
  ) {}

  /** What is known without asking anybody. */
  recall(wish: Wish): Translation | undefined {
    return this.known.get(key(wish));
  }

  /**
   * Translates. The same wish of several is one call, which is given up when nobody waits for it any more.
   *
   * @throws Untranslated if no engine could
   */
  translate(wish: Wish, signal: AbortSignal): Promise<Translation> {
    const known = this.recall(wish);
    if (known !== undefined) {
      return Promise.resolve(known);
    }
    const name = key(wish);
    let flight = this.flights.get(name);
    if (flight === undefined) {
      const abort = new AbortController();
      flight = { abort, waiting: 0, result: this.run(wish, abort.signal).finally(() => this.flights.delete(name)) };
      this.flights.set(name, flight);
    }
    return join(flight, signal, () => this.flights.delete(name));
  }

  private async run(wish: Wish, signal: AbortSignal): Promise<Translation> {
    const reasons: unknown[] = [];
    for (const engine of this.engines) {
      signal.throwIfAborted();
      try {
        const text = await engine.translate(wish, signal);
        if (text !== undefined) {
          const found = { text, engine: engine.name };
          this.keep(key(wish), found);
          return found;
        }
      } catch (error) {
        signal.throwIfAborted();
        reasons.push(error);
      }
    }
    throw new Untranslated(reasons);
  }

  private keep(name: string, found: Translation): void {
    this.known.set(name, found);
    if (this.known.size > this.limit) {
      // A map remembers the order: the first is the oldest.
      this.known.delete(this.known.keys().next().value as string);
    }
  }
}

function join(flight: Flight, signal: AbortSignal, forget: () => void): Promise<Translation> {
  flight.waiting += 1;
  return new Promise((resolve, reject) => {
    const leave = () => {
      flight.waiting -= 1;
      reject(signal.reason);
      if (flight.waiting === 0) {
        forget();
        flight.abort.abort();
      }
    };
    if (signal.aborted) {
      leave();
    } else {
      signal.addEventListener("abort", leave, { once: true });
    }
    flight.result.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}

function key({ text, source, target }: Wish): string {
  return `${source}\n${target}\n${text}`;
}
