/**
 * One connection for all tabs of a browser: it lives in a SharedWorker, tabs speak to it through ports.
 *
 * Where there is no SharedWorker, or there are no locks (see `life`), a page makes its own connection and uses the same
 * face.
 */

/** What a tab hears. */
export type Listener = (data: unknown, offset: number | undefined) => void;

/** How a channel stands: who keeps a state by what is heard asks for it anew after a gap. */
export interface Standing {
  /** Heard from now on; `isGapless` if nothing was missed since it was heard last. */
  subscribed?(isGapless: boolean): void;
  /** Refused, or ended by the server: nothing more comes, unless one subscribes again. */
  unsubscribed?(code: number, reason: string): void;
}

/** What a tab can do, wherever the connection lives. */
export interface Shared {
  /** Hears a channel until the returned function is called, or the channel ends. */
  subscribe(channel: string, listener: Listener, standing?: Standing): () => void;
  /** Calls a remote procedure; rejects with `Refusal`. */
  rpc(method: string, params: unknown): Promise<unknown>;
}

/** Why a call came to nothing; whoever keeps calls must know whether that can go away by itself. */
export interface Refusal {
  readonly code: number;
  readonly message: string;
  readonly temporary?: boolean | undefined;
}

/** The first word of either end: it is there, and holds a lock as long as it is. */
type Alive<Verb extends "ask" | "tell"> = { readonly [verb in Verb]: "alive" } & { readonly lock: string | undefined };

/** A channel, and when it was asked for: what was on its way to who has left is not for who has come again. */
interface Hearing {
  readonly channel: string;
  readonly hearing: number;
}

/** What happens in a channel. */
export type Heard =
  | { readonly tell: "publication"; readonly data: unknown; readonly offset: number | undefined }
  | { readonly tell: "subscribed"; readonly isGapless: boolean }
  | { readonly tell: "unsubscribed"; readonly code: number; readonly reason: string };

/** From a tab to the worker. */
export type Asked =
  | Alive<"ask">
  | ({ readonly ask: "subscribe" } & Hearing)
  | { readonly ask: "unsubscribe"; readonly channel: string }
  | { readonly ask: "rpc"; readonly id: number; readonly method: string; readonly params: unknown };

/** From the worker to a tab. */
export type Told =
  | Alive<"tell">
  | (Heard & Hearing)
  | { readonly tell: "result"; readonly id: number; readonly value: unknown }
  | { readonly tell: "error"; readonly id: number; readonly error: Refusal };

/** A port, as `MessagePort` and tests have it. */
export interface Port<Out, In> {
  postMessage(message: Out): void;
  // As a method: a `MessagePort` hands over more than this.
  onmessage: { hear(event: { data: In }): void }["hear"] | null;
  close?(): void;
}
