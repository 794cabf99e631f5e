/** Delivers an outbox: in order, one after the other, again and again until each call is answered. */

import { type Call, type Outbox } from "./outbox";

/** What carries calls: a connection, or whatever a test puts in its place. */
export interface Delivery {
  /** Sends one call; the key is among its params, so that the server can tell a repetition. */
  send(call: Call): Promise<unknown>;
  /** Whether there is any use in trying now. */
  isOnline(): boolean;
  /** Whether an error can go away by itself. */
  isTemporary(error: unknown): boolean;
  /** Tells what became of a call. */
  settled?(call: Call, result: { value: unknown } | { error: unknown }): void;
}

/**
 * Delivers what waits, until nothing does or the network is gone. Call it when a call was added, and when the
 * connection is back; a second call while one is under way does nothing.
 *
 * A call that is refused for good is settled with its error: it must not hold up those behind it.
 */
export function deliver(outbox: Outbox, delivery: Delivery): () => Promise<void> {
  let isUnderWay = false;
  return async () => {
    if (isUnderWay) {
      return;
    }
    isUnderWay = true;
    try {
      for (let call = outbox.waiting[0]; call && delivery.isOnline(); call = outbox.waiting[0]) {
        try {
          const value = await delivery.send(call);
          outbox.settle(call.key);
          delivery.settled?.(call, { value });
        } catch (error) {
          if (delivery.isTemporary(error)) {
            return;
          }
          outbox.settle(call.key);
          delivery.settled?.(call, { error });
        }
      }
    } finally {
      isUnderWay = false;
    }
  };
}
