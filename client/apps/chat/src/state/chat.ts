/** The whole chat of somebody who is signed in: connection, rooms, what is being sent. */

import { computed, signal, type Signal } from "@preact/signals";

import { deliver } from "../../../../src/delivery";
import { randomKey } from "../../../../src/key";
import { Outbox } from "../../../../src/outbox";
import { t } from "../i18n/bundles";
import { reasonOf } from "../i18n/refusals";
import { putRoomInAddress, roomInAddress } from "../io/address";
import { Connection, isTemporary } from "../io/connection";
import { lastRoom, tabStore } from "../io/preferences";
import { begun, failed, gone, restored, type Said, type Sending } from "../room/sending";
import { ruled } from "../room/state";
import type { Me, Message, Presence, RoomEvent, RoomInfo, RoomKind, Typing } from "../wire";
import { notice } from "./notices";
import { Room } from "./room";
import { detector } from "./translations";

/** An answer of "slow down" or a lost one is tried again after so long. */
const AGAIN_MS = 1_500;
const REFRESH_MS = 200;

export class Chat {
  readonly connection: Connection;
  readonly rooms = signal<readonly RoomInfo[]>([]);
  readonly areRoomsLoaded = signal(false);
  readonly current = signal<Room | undefined>(undefined);
  readonly sending = signal<Sending>(new Map());
  readonly unread = computed(() => this.rooms.value.reduce((sum, room) => sum + (room.joined ? room.unread : 0), 0));

  private readonly open = new Map<string, Room>();
  private readonly heard = new Map<string, ReturnType<Connection["hear"]>>();
  /** Who types and who comes and goes is heard of the room that is shown only. */
  private live: { id: string; stop: () => void } | undefined;
  private readonly outbox: Outbox;
  private readonly deliver: () => Promise<void>;
  private refreshing: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners = new Set<(room: Room, message: Message) => void>();

  constructor(readonly me: Signal<Me>) {
    this.outbox = new Outbox(tabStore(), `hubbub.outbox.${me.value.user}`);
    this.sending.value = restored(this.outbox.waiting, Date.now());
    this.deliver = deliver(this.outbox, {
      send: async (call) => this.connection.rpc(call.method, await inLanguage(call.params as Said)),
      isOnline: () => this.connection.status.value === "connected",
      isTemporary: (error) => {
        const isIt = isTemporary(error);
        if (isIt) {
          setTimeout(() => void this.deliver(), AGAIN_MS);
        }
        return isIt;
      },
      settled: (call, result) => this.settled(call.params as Said, result),
    });
    this.connection = new Connection((_channel, data) => this.told(data as { type?: string }));
    this.connection.epoch.subscribe((epoch) => {
      if (epoch > 0) {
        void this.refresh();
        void this.deliver();
        if (this.current.value?.isOpen === false) {
          // It could not be opened for want of a connection.
          void this.current.value.open();
        }
      }
    });
  }

  close(): void {
    clearTimeout(this.refreshing);
    this.connection.close();
  }

  /** Calls a procedure, and tells the user if it is refused. */
  async ask<T>(method: string, params: unknown): Promise<T | undefined> {
    try {
      return await this.connection.rpc<T>(method, params);
    } catch (error) {
      notice(reasonOf(error), "error");
      return undefined;
    }
  }

  // Rooms

  async refresh(): Promise<void> {
    try {
      const { rooms } = await this.connection.rpc<{ rooms: RoomInfo[] }>("rooms.list", {});
      this.rooms.value = rooms;
      this.areRoomsLoaded.value = true;
    } catch (error) {
      // With the next connection it is done again; a busy server is asked once more.
      if (this.connection.status.value === "connected" && isTemporary(error)) {
        this.refreshSoon(AGAIN_MS);
      }
      return;
    }
    for (const { id, joined } of this.rooms.value) {
      if (joined) {
        this.hear(id);
      }
    }
    if (this.current.value === undefined) {
      const wanted = roomInAddress() || lastRoom.value;
      const mine = this.rooms.value.filter(({ joined }) => joined);
      const first = this.rooms.value.find(({ id }) => id === wanted) ?? mine[0] ?? this.rooms.value[0];
      if (first !== undefined) {
        await this.show(first.id);
      }
    }
  }

  private refreshSoon(afterMs = REFRESH_MS): void {
    clearTimeout(this.refreshing);
    this.refreshing = setTimeout(() => void this.refresh(), afterMs);
  }

  info(id: string): RoomInfo | undefined {
    return this.rooms.value.find((info) => info.id === id);
  }

  room(id: string): Room {
    const room = this.open.get(id) ?? new Room(id, this.connection, (event) => this.happened(room, event));
    this.open.set(id, room);
    return room;
  }

  /** Shows a room; one that is open to all is joined by that. */
  async show(id: string): Promise<void> {
    const room = this.room(id);
    this.current.value = room;
    lastRoom.value = id;
    putRoomInAddress(id);
    if (this.info(id)?.joined === false && (await this.ask("rooms.join", { room: id })) !== undefined) {
      this.changeInfo(id, { joined: true });
      this.refreshSoon();
    }
    this.hear(id);
    if (this.current.value !== room) {
      // Meanwhile another one is shown, or none.
      return;
    }
    this.hearLive(room);
    if (!room.isOpen) {
      await room.open();
    }
  }

  private hearLive(room: Room): void {
    if (this.live?.id === room.id) {
      return;
    }
    this.live?.stop();
    const stop = this.connection.hear(`live:${room.id}`, {
      publication: (data) => room.take(data as Typing | Presence),
      subscribed: () => room.recount(),
      unsubscribed: () => {
        this.live = undefined;
      },
    });
    this.live = { id: room.id, stop };
  }

  async create(name: string, kind: RoomKind, topic: string): Promise<boolean> {
    const made = await this.ask<RoomInfo>("rooms.create", { name, kind, topic });
    if (made !== undefined) {
      await this.refresh();
      await this.show(made.id);
    }
    return made !== undefined;
  }

  async leave(id: string): Promise<void> {
    if ((await this.ask("rooms.leave", { room: id })) !== undefined) {
      this.forget(id);
    }
  }

  async direct(user: string): Promise<Room | undefined> {
    const made = await this.ask<RoomInfo>("direct.open", { user });
    if (made === undefined) {
      return undefined;
    }
    await this.refresh();
    await this.show(made.id);
    // Not the one that is shown: that may be another by now, and what is meant for one person is none of its business.
    return this.room(made.id);
  }

  private forget(id: string): void {
    this.heard.get(id)?.();
    this.heard.delete(id);
    this.open.delete(id);
    if (this.current.value?.id === id) {
      this.current.value = undefined;
      lastRoom.value = "";
      putRoomInAddress("");
    }
    this.rooms.value = this.rooms.value.filter((info) => info.id !== id);
    this.refreshSoon();
  }

  private hear(id: string): void {
    if (this.heard.has(id)) {
      return;
    }
    const room = this.room(id);
    const stop = this.connection.hear(`room:${id}`, {
      publication: (data) => room.take(data as RoomEvent),
      subscribed: (isGapless) => {
        if (isGapless) {
          room.resume();
          return;
        }
        room.sync();
        if (!room.isOpen) {
          // What was said between the list of rooms and now is in neither: it is counted anew.
          this.refreshSoon();
        }
      },
      unsubscribed: () => {
        this.heard.delete(id);
      },
    });
    this.heard.set(id, stop);
  }

  // What happens

  /** Something about this user: from another device, or from somebody who wants them. */
  private told(data: { type?: string; room?: unknown; kind?: string; reason?: string; me?: Me }): void {
    if (data.type === "left" && typeof data.room === "string") {
      this.left(data.room, data.kind, data.reason);
    } else if (data.type === "me" && data.me !== undefined) {
      this.me.value = data.me;
    }
    this.refreshSoon();
  }

  private happened(room: Room, event: RoomEvent): void {
    if (event.type === "message") {
      const { message, nonce } = event;
      if (message.user === this.me.value.user) {
        // It stands among the others now; the answer to the call comes later, or not at all.
        this.sending.value = nonce === undefined ? this.sending.value : gone(this.sending.value, nonce);
      } else {
        this.count(room.id, message);
        this.listeners.forEach((listener) => listener(room, message));
      }
    } else if (event.type === "topic") {
      this.changeInfo(room.id, { topic: event.topic ?? "" });
    } else if (event.type === "room") {
      this.changeInfo(room.id, ruled(event));
    } else if (event.type === "part" && event.user === this.me.value.user) {
      this.left(room.id, event.kind, event.reason);
    }
  }

  /** It is not read yet. What a list of rooms has counted already is not counted again. */
  private count(id: string, { seq, mentions = [] }: Message): void {
    const info = this.info(id);
    if (info !== undefined && seq > info.seq) {
      const isMeant = mentions.includes(this.me.value.user);
      this.changeInfo(id, { unread: info.unread + 1, mentions: info.mentions + (isMeant ? 1 : 0), seq });
    }
  }

  /** One is no member any more; the room tells, and whoever is removed is told besides: the first of these counts. */
  private left(id: string, kind: string | undefined, reason = ""): void {
    const info = this.info(id);
    if (info?.joined && kind !== "part") {
      notice(t("removed-from-room", { room: info.name, reason }));
    }
    this.forget(id);
  }

  private changeInfo(id: string, change: Partial<RoomInfo>): void {
    this.rooms.value = this.rooms.value.map((info) => (info.id === id ? { ...info, ...change } : info));
  }

  /** Hears of each new message of others. */
  onMessage(listener: (room: Room, message: Message) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** All up to here has been read. */
  read(room: Room, id: string): void {
    const info = this.info(room.id);
    if (info !== undefined && (info.unread > 0 || info.mentions > 0)) {
      this.changeInfo(room.id, { unread: 0, mentions: 0 });
      // If it is lost, the next one says more.
      this.connection.rpc("read", { room: room.id, id }).catch(() => {});
    }
  }

  // Speaking

  say(room: string, text: string, more: Pick<Said, "kind" | "replyTo" | "lang">): void {
    const nonce = randomKey();
    this.post({ room, text, nonce, ...more });
    this.open.get(room)?.leftBehind();
  }

  private post(said: Said): void {
    try {
      this.outbox.add("say", said);
    } catch (error) {
      notice(reasonOf(error), "error");
      return;
    }
    this.sending.value = begun(this.sending.value, said, Date.now());
    void this.deliver();
  }

  retry(nonce: string): void {
    const pending = this.sending.value.get(nonce);
    if (pending !== undefined) {
      // The same nonce: if it was kept after all, it is not said twice.
      this.post(pending.said);
    }
  }

  discard(nonce: string): void {
    this.sending.value = gone(this.sending.value, nonce);
  }

  private settled(said: Said, result: { value: unknown } | { error: unknown }): void {
    if ("error" in result) {
      this.sending.value = failed(this.sending.value, said.nonce, reasonOf(result.error));
      return;
    }
    const { message } = result.value as { message: Message };
    // The answer may come before the event; whichever is first shows it, and the other changes nothing.
    this.open.get(said.room)?.take({ type: "message", seq: message.seq, ts: message.ts, message, nonce: said.nonce });
    this.sending.value = gone(this.sending.value, said.nonce);
  }

  /** Who is called so: in the room that is shown, else in another, else one has written to them. */
  userCalled(nick: string): string | undefined {
    const wanted = nick.trim().toLocaleLowerCase();
    const rooms = [this.current.value, ...this.open.values()];
    const members = rooms.flatMap((room) => [...(room?.state.value?.members.values() ?? [])]);
    const peers = this.rooms.value.flatMap(({ peer }) => (peer === undefined ? [] : [peer]));
    return [...members, ...peers].find((member) => member.nick.toLocaleLowerCase() === wanted)?.user;
  }
}

/** What is sent says in what language it is, if the browser can tell; it is kept and shown before that is known. */
async function inLanguage(said: Said): Promise<Said> {
  const lang = said.lang ?? (await detector.detect(said.text));
  return lang === undefined ? said : { ...said, lang };
}
