/** What travels between the page and the chat's service, as python/hubbub/apps/chat/PROTOCOL.md says it. */

export type LangSource = "user" | "detected" | "profile";
export type RoomKind = "open" | "unlisted" | "members" | "direct";
/** What somebody may do in a room; "" is everybody. */
export type Role = "owner" | "moderator" | "voice" | "";

/** A translation that is attached to a message; it never replaces the text. */
export interface Attached {
  text: string;
  engine: string;
  by: "client" | "server";
}

export interface FileLink {
  url: string;
  name: string;
  type?: string;
  size?: number;
}

export interface Message {
  id: string;
  room: string;
  seq: number;
  ts: number;
  user: string;
  nick: string;
  kind: "text" | "action" | "notice";
  text: string;
  lang: string;
  langSource: LangSource;
  replyTo?: string;
  edited?: number;
  deleted?: number;
  mentions?: string[];
  reactions?: Record<string, string[]>;
  translations?: Record<string, Attached>;
  via?: { bridge: string; name: string };
  files?: FileLink[];
  /** Its sender's, kept from the event that brought it (see `keyOf`); no part of the message. */
  nonce?: string;
}

export interface Member {
  user: string;
  nick: string;
  guest?: boolean;
  langs: string[];
  preferred: string;
  role: Role;
  /** Whether they are there, when a member is shown. */
  online?: boolean;
  /** Until when they may not speak, in ms. */
  muted?: number;
}

export interface RoomInfo {
  id: string;
  name: string;
  kind: RoomKind;
  topic: string;
  members: number;
  joined: boolean;
  role: Role;
  unread: number;
  mentions: number;
  /** The newest event that is counted in here. */
  seq: number;
  /** The newest event that was read. */
  lastRead: number;
  /** For so many seconds messages are kept; 0: for ever. */
  retention?: number;
  /** Whether only those with a voice may speak. */
  moderated?: boolean;
  invited?: boolean;
  /** Of a conversation of two: the other one. */
  peer?: Member;
}

export interface Me {
  user: string;
  nick: string;
  guest: boolean;
  langs: string[];
  preferred: string;
}

/** What a visitor who is not signed in is told; what is missing is allowed. */
export interface Welcome {
  guests?: boolean;
  registration?: boolean;
  langs?: string[];
  preferred?: string;
}

interface Stamp {
  seq: number;
  ts: number;
}

/** What happens in a room; each has the next `seq`. */
export type RoomEvent = Stamp &
  (
    | { type: "message"; message: Message; nonce?: string }
    | { type: "edit"; id: string; text: string; lang: string; langSource: LangSource; edited: number; by: string; mentions?: string[] }
    | { type: "delete"; id: string; by: string }
    | { type: "react"; id: string; emoji: string; user: string; on: boolean }
    | { type: "topic"; topic?: string; by: string }
    | ({ type: "member" } & Pick<Member, "user" | "nick"> & Partial<Member>)
    | { type: "part"; user: string; by?: string; reason?: string; kind?: "part" | "kick" | "ban" }
    | { type: "room"; name: string; kind?: RoomKind; retention?: number; moderated?: boolean }
    | { type: "unban" | "invite" | "erase"; user: string; by?: string }
    | { type: "lang"; id: string; lang: string; langSource: LangSource; by: string }
    | { type: "translation"; id: string; lang: string; text: string; engine: string; by: "client" | "server" }
  );

/** Passes by: not numbered, not kept. */
export interface Typing {
  type: "typing";
  user: string;
  on: boolean;
}

/** Passes by: who has come online and gone offline since the last of these. */
export interface Presence {
  type: "presence";
  online?: string[];
  offline?: string[];
  count?: number;
}

/** The answer to `rooms.open`. */
export interface Opened {
  room: RoomInfo;
  members: Member[];
  messages: Message[];
  seq: number;
  lastRead: number;
  more: boolean;
  /** If there are more members: where `members` goes on. */
  next?: string;
}

/** The answer to `members`. */
export interface MemberPage {
  members: Member[];
  count: number;
  next?: string;
}

/** The answer to `history` and `search`. */
export interface Page {
  messages: Message[];
  more: boolean;
  /** Of a search: where it goes on. */
  next?: string;
}

/** The answer to `sync`: what happened since. */
export interface Synced {
  events: RoomEvent[];
  seq: number;
  reset?: boolean;
}
