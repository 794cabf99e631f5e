/**
 * What was typed and is not yet known to be kept: shown at once, sent until it is answered (pure).
 *
 * The calls themselves lie in the client's `Outbox`; here is what their authors see of them.
 */

import type { Call } from "../../../../src/outbox";
import type { Message } from "../wire";

/** The params of `say`. */
export interface Said {
  room: string;
  text: string;
  nonce: string;
  kind: "text" | "action";
  replyTo?: string;
  lang?: string;
}

export interface Pending {
  readonly said: Said;
  readonly ts: number;
  readonly state: "sending" | "failed";
  /** Why it failed, in words for people. */
  readonly reason?: string;
}

/** What waits, by nonce, in the order in which it was typed. */
export type Sending = ReadonlyMap<string, Pending>;

export const nothing: Sending = new Map();

/** From what an earlier page left in the outbox. */
export function restored(calls: readonly Call[], now: number): Sending {
  const found = new Map<string, Pending>();
  for (const call of calls) {
    const said = call.params as Said;
    found.set(said.nonce, { said, ts: now, state: "sending" });
  }
  return found;
}

export function begun(all: Sending, said: Said, now: number): Sending {
  const next = new Map(all);
  // A repetition goes to the end: it is said now.
  next.delete(said.nonce);
  return next.set(said.nonce, { said, ts: now, state: "sending" });
}

export function failed(all: Sending, nonce: string, reason: string): Sending {
  const pending = all.get(nonce);
  return pending === undefined ? all : new Map(all).set(nonce, { ...pending, state: "failed", reason });
}

export function gone(all: Sending, nonce: string): Sending {
  if (!all.has(nonce)) {
    return all;
  }
  const next = new Map(all);
  next.delete(nonce);
  return next;
}

/** As a message among the others, until the real one comes; behind them, whatever the clock here says. */
export function preview({ said, ts }: Pending, me: { user: string; nick: string }, notBefore = 0): Message {
  return {
    id: `~${said.nonce}`,
    room: said.room,
    seq: 0,
    ts: Math.max(ts, notBefore),
    user: me.user,
    nick: me.nick,
    nonce: said.nonce,
    kind: said.kind,
    text: said.text,
    lang: said.lang ?? "und",
    langSource: "user",
    ...(said.replyTo === undefined ? {} : { replyTo: said.replyTo }),
  };
}
