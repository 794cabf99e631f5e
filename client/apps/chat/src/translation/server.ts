/** The server's translator, in LibreTranslate's shape. What it made of a message it keeps for all its readers. */

import type { Engine, Wish } from "./chain";
import { Queue } from "./queue";

/** So long nobody is asked after an answer "too many" or a fault. */
const PAUSE_MS = 5_000;
const TIMEOUT_MS = 20_000;
/** The server does not translate at all. */
const ABSENT = new Set([404, 405, 501]);

export class ServerEngine implements Engine {
  readonly name = "server";
  private readonly queue = new Queue(4);
  private pausedUntil = 0;
  private isAbsent = false;

  constructor(
    private readonly fetch: typeof globalThis.fetch,
    private readonly now: () => number = Date.now,
  ) {}

  translate(wish: Wish, signal: AbortSignal): Promise<string | undefined> {
    return this.queue.run(() => this.ask(wish, signal), signal);
  }

  private async ask({ text, source, target, message }: Wish, signal: AbortSignal): Promise<string | undefined> {
    if (this.isAbsent) {
      return undefined;
    }
    if (this.now() < this.pausedUntil) {
      throw new Error("the server's translator rests");
    }
    const answer = await this.fetch("translate", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ q: text, source, target, format: "text", ...(message === undefined ? {} : { message }) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (answer.status === 429) {
      this.pausedUntil = this.now() + PAUSE_MS;
    }
    if (ABSENT.has(answer.status)) {
      this.isAbsent = true;
      return undefined;
    }
    const body = (await answer.json()) as { translatedText?: unknown; error?: unknown };
    if (!answer.ok || typeof body.translatedText !== "string") {
      throw new Error(typeof body.error === "string" ? body.error : `status ${answer.status}`);
    }
    return body.translatedText;
  }
}
