/**
 * Keeps one room gapless: which event is next, which came twice, and when to ask for what is missing (pure).
 *
 * Events carry `seq`, +1 each. Knows nothing of how events arrive or of what they mean (see `state`).
 */

export interface Numbered {
  readonly seq: number;
}

/** What to do with an event, given the newest that was applied. */
export type Verdict = "apply" | "ignore" | "gap";

export function judge(known: number, event: Numbered): Verdict {
  if (event.seq <= known) {
    return "ignore";
  }
  return event.seq === known + 1 ? "apply" : "gap";
}

/** Asks for what happened since. */
export type Fetch<E extends Numbered> = (after: number) => Promise<{ events: E[]; seq: number; reset?: boolean }>;

const FIRST_MS = 1_500;
const LONGEST_MS = 30_000;

/** Delay before it is asked again, in ms, when that has failed so many times in a row. Pure: the caller brings the dice. */
export function backoff(times: number, random: number): number {
  return Math.min(FIRST_MS * 2 ** (times - 1), LONGEST_MS) * (0.5 + random / 2);
}

/** Applies events in order, each once, whatever comes between. */
export class Resumer<E extends Numbered> {
  private waiting: E[] = [];
  private isFetching = false;
  private isLoading = false;
  /** Something was missed that nobody has asked for yet. */
  private isBehind = false;
  private loads = 0;
  private failures = 0;

  /**
   * @param known the newest event that is in the state; undefined while there is no state: events are handed on as they come
   * @param apply puts the next event into the state
   * @param fetch asks for what is missing
   * @param reset everything must be loaded anew: too much has happened
   * @param failed what was missed could not be had, for the so many-th time in a row; `catchUp` asks again
   */
  constructor(
    private known: number | undefined,
    private readonly apply: (event: E) => void,
    private readonly fetch: Fetch<E>,
    private readonly reset: () => void,
    private readonly failed: (error: unknown, times: number) => void = () => {},
  ) {}

  get seq(): number | undefined {
    return this.known;
  }

  /** An event has arrived. */
  take(event: E): void {
    if (this.isLoading) {
      this.waiting.push(event);
      return;
    }
    if (this.known === undefined) {
      this.apply(event);
      return;
    }
    switch (judge(this.known, event)) {
      case "apply":
        this.known = event.seq;
        this.apply(event);
        this.drain();
        break;
      case "gap":
        this.waiting.push(event);
        this.fill();
        break;
    }
  }

  /**
   * Loads the state anew. An event can overtake an answer that does not have it yet: what comes meanwhile waits, for
   * what is loaded, or for what was there before if that fails.
   *
   * @param ask asks for the state, and up to which event it goes
   * @param put replaces the state; what has waited and is in it already is applied all the same, to be told to others
   */
  async load<A extends Numbered>(ask: () => Promise<A>, put: (answer: A) => void): Promise<void> {
    const wasBehind = this.isBehind || this.isFetching;
    this.isBehind = false;
    this.isLoading = true;
    this.loads += 1;
    try {
      const answer = await ask();
      put(answer);
      this.pass(answer.seq);
      this.isLoading = false;
      this.failures = 0;
      this.drain();
      void this.catchUp();
    } catch (error) {
      this.isLoading = false;
      this.isBehind ||= wasBehind;
      this.drain();
      if (this.isBehind) {
        this.missed(error);
      }
      throw error;
    }
  }

  /** The state goes up to here now; who hears of events hears of those it has skipped. */
  private pass(seq: number): void {
    let told = this.known ?? -1;
    this.known = seq;
    for (const event of this.waiting.filter((one) => one.seq <= seq).sort(bySeq)) {
      if (event.seq > told) {
        told = event.seq;
        this.apply(event);
      }
    }
  }

  /** Something may have been missed: the connection was away for longer than the hub remembers. */
  async sync(): Promise<void> {
    // Without a state there is nothing that could be behind: whoever loads it hears of events first.
    if (this.known !== undefined) {
      this.isBehind = true;
      await this.catchUp();
    }
  }

  /** Asks for what was missed, if that has not been told yet. */
  async catchUp(): Promise<void> {
    // What is under way may be older than what was missed now: after it, this is looked at again.
    if (this.isFetching || this.isLoading) {
      return;
    }
    this.isFetching = true;
    try {
      while (this.isBehind && this.known !== undefined && !this.isLoading) {
        this.isBehind = false;
        const { loads } = this;
        const found = await this.fetch(this.known);
        if (loads !== this.loads) {
          // The state is another one by now, or will be: this brings nothing, not even what is waited for.
          this.isBehind ||= this.waiting.length > 0;
          continue;
        }
        if (found.reset) {
          this.waiting = [];
          this.isBehind = true;
          this.reset();
          return;
        }
        this.fetched(found.events, found.seq);
      }
    } catch (error) {
      // Whoever comes back without a gap has none since then, but this one from before.
      this.missed(error);
    } finally {
      this.isFetching = false;
    }
  }

  private missed(error: unknown): void {
    this.isBehind = true;
    this.failures += 1;
    this.failed(error, this.failures);
  }

  private fetched(events: readonly E[], seq: number): void {
    for (const event of [...events].sort(bySeq)) {
      if (event.seq > (this.known ?? -1)) {
        this.known = event.seq;
        this.apply(event);
      }
    }
    this.known = Math.max(this.known ?? seq, seq);
    this.failures = 0;
    this.drain();
  }

  private drain(): void {
    const all = this.waiting.splice(0).sort(bySeq);
    if (this.known === undefined) {
      all.forEach(this.apply);
      return;
    }
    for (const event of all) {
      switch (judge(this.known, event)) {
        case "apply":
          this.known = event.seq;
          this.apply(event);
          break;
        case "gap":
          this.waiting.push(event);
          break;
      }
    }
    if (this.waiting.length > 0) {
      this.fill();
    }
  }

  private fill(): void {
    // What is under way began after the newest event that is known: it brings what is missing.
    if (!this.isFetching) {
      void this.sync();
    }
  }
}

function bySeq(one: Numbered, other: Numbered): number {
  return one.seq - other.seq;
}
