/**
 * One connection for all tabs of a browser: it lives in a SharedWorker, tabs speak to it through ports.
 *
 * Where there is no SharedWorker, a page makes its own connection and uses the same face.
 */

/** What a tab hears. */
export type Listener = (data: unknown, offset: number | undefined) => void;

/** What a tab can do, wherever the connection lives. */
export interface Shared {
  /** Hears a channel until the returned function is called. */
  subscribe(channel: string, listener: Listener): () => void;
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
  | { readonly tell: "result"; readonly id: number; readonly value: unknown }
  | { readonly tell: "error"; readonly id: number; readonly error: Refusal };

/** A port, as `MessagePort` and tests have it. */
export interface Port<Out, In> {
  postMessage(message: Out): void;
  onmessage: ((event: { data: In }) => void) | null;
}

/** The tab's end. */
export function share(port: Port<Asked, Told>): Shared {
  const listeners = new Map<string, Set<Listener>>();
  const calls = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  let last = 0;
  port.onmessage = ({ data: told }) => {
    switch (told.tell) {
      case "publication":
        for (const listener of listeners.get(told.channel) ?? []) {
          listener(told.data, told.offset);
        }
        break;
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
    subscribe(channel, listener) {
      const heard = listeners.get(channel) ?? new Set<Listener>();
      if (heard.size === 0) {
        listeners.set(channel, heard);
        port.postMessage({ ask: "subscribe", channel });
      }
      heard.add(listener);
      return () => {
        if (heard.delete(listener) && heard.size === 0) {
          listeners.delete(channel);
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
