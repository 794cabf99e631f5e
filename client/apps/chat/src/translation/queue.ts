/** Runs so many at a time, those who came last first: what is on the screen now is wanted now (pure). */
export class Queue {
  private readonly waiting: { run: () => void; drop: (reason: unknown) => void }[] = [];
  private running = 0;

  constructor(private readonly limit: number) {}

  /** Runs it as soon as there is room; one that is aborted before that is never run. */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const entry = {
        run: () => {
          signal.removeEventListener("abort", leave);
          this.running += 1;
          work()
            .then(resolve, reject)
            .finally(() => {
              this.running -= 1;
              this.next();
            });
        },
        drop: reject,
      };
      const leave = () => {
        this.waiting.splice(this.waiting.indexOf(entry), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      this.waiting.push(entry);
      this.next();
    });
  }

  private next(): void {
    while (this.running < this.limit) {
      const entry = this.waiting.pop();
      if (entry === undefined) {
        return;
      }
      entry.run();
    }
  }
}
