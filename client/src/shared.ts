/**
 * One connection for all tabs of a browser: it lives in a SharedWorker, tabs speak to it through ports.
 *
 * Where there is no SharedWorker, a page makes its own connection and uses the same face.
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

/** From a tab to the worker. */
export type Asked =
  | { readonly ask: "subscribe" | "unsubscribe"; readonly channel: string }
  | { readonly ask: "rpc"; readonly id: number; readonly method: string; readonly params: unknown };

/** From the worker to a tab. */
export type Told =
  | { readonly tell: "publication"; readonly channel: string; readonly data: unknown; readonly offset: number | undefined }
  | { readonly tell: "subscribed"; readonly channel: string; readonly isGapless: boolean }
  | { readonly tell: "unsubscribed"; readonly channel: string; readonly code: number; readonly reason: string }
  | { readonly tell: "result"; readonly id: number; readonly value: unknown }
  | { readonly tell: "error"; readonly id: number; readonly error: Refusal };

/** A port, as `MessagePort` and tests have it. */
export interface Port<Out, In> {
  postMessage(message: Out): void;
  onmessage: ((event: { data: In }) => void) | null;
}

/** A channel that a tab hears. */
interface Heard {
  isSubscribed: boolean;
  readonly hearers: Set<{ readonly listener: Listener; readonly standing: Standing }>;
}

/** The tab's end. */
export function share(port: Port<Asked, Told>): Shared {
  const channels = new Map<string, Heard>();
  const calls = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  let last = 0;
  port.onmessage = ({ data: told }) => {
    switch (told.tell) {
      case "publication":
        for (const { listener } of channels.get(told.channel)?.hearers ?? []) {
          listener(told.data, told.offset);
        }
        break;
      case "subscribed": {
        const heard = channels.get(told.channel);
        if (heard !== undefined) {
          heard.isSubscribed = true;
          heard.hearers.forEach(({ standing }) => standing.subscribed?.(told.isGapless));
        }
        break;
      }
      case "unsubscribed": {
        const heard = channels.get(told.channel);
        channels.delete(told.channel);
        heard?.hearers.forEach(({ standing }) => standing.unsubscribed?.(told.code, told.reason));
        break;
      }
      case "result":
        calls.get(told.id)?.resolve(told.value);
        calls.delete(told.id);
        break;
      case "error":
        calls.get(told.id)?.reject(told.error);
        calls.delete(told.id);
        break;
    }
  };
  return {
    subscribe(channel, listener, standing = {}) {
      const heard = channels.get(channel) ?? { isSubscribed: false, hearers: new Set() };
      const hearer = { listener, standing };
      heard.hearers.add(hearer);
      if (heard.hearers.size === 1) {
        channels.set(channel, heard);
        port.postMessage({ ask: "subscribe", channel });
      } else if (heard.isSubscribed) {
        // For this one it begins now; not before it knows how to leave.
        queueMicrotask(() => heard.hearers.has(hearer) && standing.subscribed?.(false));
      }
      return () => {
        // What has ended, and was subscribed again by others, is left to them.
        if (heard.hearers.delete(hearer) && heard.hearers.size === 0 && channels.get(channel) === heard) {
          channels.delete(channel);
          port.postMessage({ ask: "unsubscribe", channel });
        }
      };
    },
    rpc(method, params) {
      last += 1;
      const id = last;
      return new Promise((resolve, reject) => {
        calls.set(id, { resolve, reject });
        port.postMessage({ ask: "rpc", id, method, params });
      });
    },
  };
}
