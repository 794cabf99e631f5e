/**
 * What is known of one room, and what each event makes of it (pure).
 *
 * `messages` is a window of the history, ascending. As long as `isLive`, its end is the room's end, and what is said
 * is appended; after a jump into the past it is not, and new messages are only counted.
 */

import type { Member, Message, Opened, Page, RoomEvent, RoomInfo } from "../wire";

export interface RoomState {
  readonly info: RoomInfo;
  readonly members: ReadonlyMap<string, Member>;
  readonly messages: readonly Message[];
  /** The newest event that is in here. */
  readonly seq: number;
  readonly isLive: boolean;
  /** Whether there is more before the window. */
  readonly hasOlder: boolean;
  /** Up to where it had been read when it was opened: the line "new" stands behind it. */
  readonly lastRead: number;
  /** Said at the end of the room while the window was elsewhere. */
  readonly missed: number;
  /** The last of these. */
  readonly newest?: string;
}

/** A room as it was just opened. */
export function opened(answer: Opened): RoomState {
  return {
    info: answer.room,
    members: new Map(answer.members.map((member) => [member.user, whole(member)])),
    messages: answer.messages,
    seq: answer.seq,
    isLive: true,
    hasOlder: answer.more,
    lastRead: answer.lastRead,
    missed: 0,
  };
}

/** The room after an event. The caller has made sure that it is the next one (see `resume`). */
export function apply(state: RoomState, event: RoomEvent): RoomState {
  const next = { ...state, seq: Math.max(state.seq, event.seq) };
  switch (event.type) {
    case "message":
      return said(next, event.nonce === undefined ? event.message : { ...event.message, nonce: event.nonce });
    case "edit": {
      const { text, lang, langSource, edited, mentions = [] } = event;
      return change(next, event.id, (message) => ({
        ...without(message, "translations"),
        text,
        lang,
        langSource,
        edited,
        mentions,
      }));
    }
    case "delete":
      return change(next, event.id, (message) => emptied(message, event.ts));
    case "react":
      return change(next, event.id, (message) => ({
        ...message,
        reactions: reacted(message.reactions ?? {}, event.emoji, event.user, event.on),
      }));
    case "lang": {
      const { lang, langSource } = event;
      return change(next, event.id, (message) => ({ ...without(message, "translations"), lang, langSource }));
    }
    case "translation": {
      const { lang, text, engine, by } = event;
      return change(next, event.id, (message) => ({
        ...message,
        translations: { ...message.translations, [lang]: { text, engine, by } },
      }));
    }
    case "topic":
      return { ...next, info: { ...next.info, topic: event.topic ?? "" } };
    case "room":
      return { ...next, info: { ...next.info, ...ruled(event) } };
    case "member": {
      const member = whole(event);
      return { ...next, members: new Map(next.members).set(member.user, member) };
    }
    case "part": {
      const members = new Map(next.members);
      members.delete(event.user);
      return { ...next, members };
    }
    case "erase": {
      const members = new Map(next.members);
      members.delete(event.user);
      const messages = next.messages.map((one) =>
        one.user === event.user ? { ...emptied(one, event.ts), nick: "" } : one,
      );
      return { ...next, members, messages };
    }
    default:
      // A newer server says more than this page knows; its number counts all the same.
      return next;
  }
}

/** What an event says of a room; what is missing is none. */
export function ruled(event: Extract<RoomEvent, { type: "room" }>): Pick<RoomInfo, "name" | "kind" | "retention" | "moderated"> {
  return { name: event.name, kind: event.kind ?? "open", retention: event.retention ?? 0, moderated: event.moderated ?? false };
}

function said(state: RoomState, message: Message): RoomState {
  const last = state.messages.at(-1);
  if (!state.isLive) {
    return { ...state, missed: state.missed + 1, newest: message.id };
  }
  if (last !== undefined && last.id >= message.id) {
    return inserted(state, [message]);
  }
  return { ...state, messages: [...state.messages, message] };
}

/** Of a member, the wire leaves out what is empty. */
function whole({ user, nick, guest, langs, preferred, role, muted }: Pick<Member, "user" | "nick"> & Partial<Member>): Member {
  return {
    user,
    nick,
    langs: langs ?? [],
    preferred: preferred ?? langs?.[0] ?? "en",
    role: role ?? "",
    ...(guest ? { guest } : {}),
    ...(muted ? { muted } : {}),
  };
}

/** Its place stays, for those who have answered it. */
function emptied(message: Message, ts: number): Message {
  const { translations: _t, reactions: _r, files: _f, mentions: _m, ...rest } = message;
  return { ...rest, text: "", deleted: ts };
}

function change(state: RoomState, id: string, made: (message: Message) => Message): RoomState {
  const at = state.messages.findIndex((message) => message.id === id);
  const before = state.messages[at];
  return before === undefined ? state : { ...state, messages: state.messages.with(at, made(before)) };
}

function without<K extends keyof Message>(message: Message, key: K): Message {
  const { [key]: _left, ...rest } = message;
  return rest as Message;
}

function reacted(all: Record<string, string[]>, emoji: string, user: string, on: boolean): Record<string, string[]> {
  const users = (all[emoji] ?? []).filter((one) => one !== user);
  const { [emoji]: _old, ...others } = all;
  if (!on && users.length === 0) {
    return others;
  }
  // Where it stood before it stands now: chips must not jump under the finger.
  return { ...all, [emoji]: on ? [...users, user] : users };
}

/** The messages of a page of history, each once, in order. */
function inserted(state: RoomState, found: readonly Message[]): RoomState {
  const known = new Map(state.messages.map((message) => [message.id, message]));
  for (const message of found) {
    const nonce = message.nonce ?? known.get(message.id)?.nonce;
    known.set(message.id, nonce === undefined ? message : { ...message, nonce });
  }
  const messages = [...known.values()].sort((one, other) => (one.id < other.id ? -1 : one.id > other.id ? 1 : 0));
  return { ...state, messages };
}

/** With what came before the window. */
export function withOlder(state: RoomState, page: Page): RoomState {
  return { ...inserted(state, page.messages), hasOlder: page.more };
}

/**
 * With what came after the window; at the room's end it is live again, unless somebody spoke since the page was made.
 *
 * @param told the newest that had been told when the page was asked for
 */
export function withNewer(state: RoomState, page: Page, told: string | undefined): RoomState {
  const { newest, ...next } = inserted(state, page.messages);
  const last = next.messages.at(-1)?.id ?? "";
  // What was told is kept before it is told: if a page that was asked for later does not have it, it has gone since.
  const isLive = !page.more && (newest === undefined || last >= newest || newest === told);
  return isLive ? { ...next, isLive, missed: 0 } : { ...next, isLive, ...(newest === undefined ? {} : { newest }) };
}

/** Another window: what lies around a search result or a date. */
export function jumped(state: RoomState, page: Page): RoomState {
  return { ...state, messages: page.messages, isLive: false, hasOlder: page.more };
}

/** Forgets the oldest, so that a page that is open for days does not grow; only at the end of the room. */
export function trimmed(state: RoomState, limit: number): RoomState {
  if (!state.isLive || state.messages.length <= limit * 2) {
    return state;
  }
  return { ...state, messages: state.messages.slice(-limit), hasOlder: true };
}

/** Leaves the end of the room, so that it does not grow for who reads further up, either: what is said is only counted. */
export function parted(state: RoomState, limit: number): RoomState {
  return state.isLive && state.messages.length >= limit * 2 ? { ...state, isLive: false } : state;
}

/** With more of its members: an answer holds so many of them. */
export function withMembers(state: RoomState, found: readonly Member[]): RoomState {
  const members = new Map(state.members);
  for (const member of found) {
    members.set(member.user, whole(member));
  }
  return { ...state, members };
}

/** All that is here has been read; the line "new" goes behind it. */
export function seen(state: RoomState): RoomState {
  return { ...state, lastRead: state.seq };
}

/** What somebody wrote last, to edit it. */
export function lastOf(state: RoomState, user: string): Message | undefined {
  return state.messages.findLast((message) => message.user === user && !message.deleted && message.kind !== "notice");
}
