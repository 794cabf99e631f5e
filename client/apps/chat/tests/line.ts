/** A connection whose answers come when a test says so, and the room behind it. */

import { signal } from "@preact/signals";

import type { Connection, Status } from "../src/io/connection";
import { Room } from "../src/state/room";
import type { Message, Opened, RoomEvent } from "../src/wire";

export interface Asked {
  readonly method: string;
  readonly params: Record<string, unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** What carries a room's calls: they wait until they are answered by hand. */
export class Line {
  readonly status = signal<Status>("connected");
  readonly waiting: Asked[] = [];
  readonly connection = this as unknown as Connection;

  rpc(method: string, params: Record<string, unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => this.waiting.push({ method, params, resolve, reject }));
  }

  /** What is asked by now, but not answered. */
  get methods(): string[] {
    return this.waiting.map(({ method }) => method);
  }

  /** The oldest call of a method; it counts as answered. */
  next(method: string): Asked {
    const at = this.waiting.findIndex((asked) => asked.method === method);
    const [found] = at < 0 ? [] : this.waiting.splice(at, 1);
    if (found === undefined) {
      throw new Error(`not asked: ${method}; but: ${this.methods}`);
    }
    return found;
  }
}

/** What has been promised comes about. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

export function message(id: string, seq: number, more: Partial<Message> = {}): Message {
  return { id, room: "r", seq, ts: seq, user: "u2", nick: "Bea", kind: "text", text: id, lang: "en", langSource: "user", ...more };
}

/** That it was said. */
export function said(id: string, seq: number, more: Partial<Message> = {}): RoomEvent {
  return { type: "message", seq, ts: seq, message: message(id, seq, more) };
}

export function answer(seq: number, ...messages: Message[]): Opened {
  return {
    room: { id: "r", name: "R", kind: "open", topic: "", members: 1, joined: true, role: "", unread: 0, mentions: 0, seq, lastRead: 0 },
    members: [],
    messages,
    seq,
    lastRead: 0,
    more: false,
  };
}

/** A room that was opened when one message, "a", had been said. */
export async function opened() {
  const line = new Line();
  const heard: number[] = [];
  const room = new Room("r", line.connection, ({ seq }) => heard.push(seq));
  const opening = room.open();
  line.next("rooms.open").resolve(answer(1, message("a", 1)));
  await opening;
  return { line, heard, room };
}

export const shown = (room: Room) => room.state.value?.messages.map(({ id }) => id).join("");

/** Takes the window to an older message, "0". */
export async function intoThePast(room: Room, line: Line): Promise<void> {
  const jumping = room.jump("0");
  line.next("history").resolve({ messages: [message("0", 0)], more: false });
  await jumping;
}
