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

/** Applies events in order, each once, whatever comes between. */
export class Resumer<E extends Numbered> {
  private waiting: E[] = [];
  private isFetching = false;
  private isStale = false;

  /**
   * @param known the newest event that is in the state
   * @param apply puts the next event into the state
   * @param fetch asks for what is missing
   * @param reset everything must be loaded anew: too much has happened
   */
  constructor(
    private known: number,
    private readonly apply: (event: E) => void,
    private readonly fetch: Fetch<E>,
    private readonly reset: () => void,
  ) {}

  get seq(): number {
    return this.known;
  }

  /** An event has arrived. */
  take(event: E): void {
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

  /** Something may have been missed: the connection was away for longer than the hub remembers. */
  async sync(): Promise<void> {
    if (this.isFetching) {
      // What is being fetched may be older than what was missed now.
      this.isStale = true;
      return;
    }
    this.isFetching = true;
    try {
      do {
        this.isStale = false;
        const found = await this.fetch(this.known);
        if (found.reset) {
          this.waiting = [];
          this.reset();
          return;
        }
        for (const event of [...found.events].sort((one, other) => one.seq - other.seq)) {
          if (event.seq > this.known) {
            this.known = event.seq;
            this.apply(event);
          }
        }
        this.known = Math.max(this.known, found.seq);
        this.drain();
      } while (this.isStale);
    } catch {
      // The connection is gone again; coming back, it asks again.
    } finally {
      this.isFetching = false;
    }
  }

  private drain(): void {
    this.waiting.sort((one, other) => one.seq - other.seq);
    while (this.waiting[0] !== undefined && this.waiting[0].seq <= this.known + 1) {
      const event = this.waiting.shift() as E;
      if (event.seq === this.known + 1) {
        this.known = event.seq;
        this.apply(event);
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
