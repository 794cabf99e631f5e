import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { Hearing } from "../src/io/connection";
import type { RoomInfo } from "../src/wire";
import { answer, Line, message, said, settled, shown } from "./line";

/** What a page has that Node has not. */
const PAGE = {
  document: { baseURI: "http://127.0.0.1:9/" },
  location: new URL("http://127.0.0.1:9/"),
  history: { replaceState: () => {} },
  matchMedia: () => ({ matches: true }),
  addEventListener: () => {},
  removeEventListener: () => {},
};

beforeEach(() => {
  for (const [name, value] of Object.entries(PAGE)) {
    vi.stubGlobal(name, value);
  }
});
afterEach(() => void vi.unstubAllGlobals());

function info(id: string, more: Partial<RoomInfo> = {}): RoomInfo {
  return { id, name: id, kind: "open", topic: "", members: 1, joined: true, role: "", unread: 0, mentions: 0, seq: 1, lastRead: 0, ...more };
}

/** A chat on a line that is answered by hand, and what it hears, by channel. */
async function chatting(...rooms: RoomInfo[]) {
  const { Chat } = await import("../src/state/chat");
  const chat = new Chat(signal({ user: "me", nick: "Me", guest: true, langs: ["en"], preferred: "en" }));
  chat.connection.close();
  const line = new Line();
  const heard = new Map<string, Hearing>();
  chat.connection.status.value = "connected";
  chat.connection.rpc = line.rpc.bind(line) as typeof chat.connection.rpc;
  chat.connection.hear = (channel, hearing) => {
    heard.set(channel, hearing);
    return () => void heard.delete(channel);
  };
  chat.rooms.value = rooms;
  return { chat, line, heard };
}

it("shows the room that was chosen last, whatever is answered later", async () => {
  const { chat, line, heard } = await chatting(info("A", { joined: false }), info("B"));
  const first = chat.show("A");
  const second = chat.show("B");
  line.next("rooms.join").resolve({});
  await first;
  expect(chat.current.value?.id).toBe("B");
  expect([...heard.keys()].sort()).toEqual(["live:B", "room:A", "room:B"]);
  // The other one is loaded when it is looked at.
  expect(line.waiting.map(({ method, params }) => [method, params["room"]])).toEqual([["rooms.open", "B"]]);
  line.next("rooms.open").resolve(answer(1));
  await second;
  chat.close();
});

it("writes to whom it is told, though another room is shown by now", async () => {
  const { chat, line } = await chatting(info("B"));
  const showing = chat.show("B");
  line.next("rooms.open").resolve(answer(1));
  await showing;
  const asked = chat.direct("u2");
  line.next("direct.open").resolve(info("D", { kind: "direct" }));
  await settled();
  line.next("rooms.list").resolve({ rooms: [info("B"), info("D", { kind: "direct" })] });
  await settled();
  expect(chat.current.value?.id).toBe("D");
  await chat.show("B");
  line.next("rooms.open").resolve(answer(1));
  expect((await asked)?.id).toBe("D");
  expect(chat.current.value?.id).toBe("B");
  chat.close();
});

it("asks a room that is heard again for what could not be asked before", async () => {
  const { chat, line, heard } = await chatting(info("r"));
  const showing = chat.show("r");
  line.next("rooms.open").resolve(answer(1, message("a", 1)));
  await showing;
  heard.get("room:r")?.subscribed(false);
  chat.connection.status.value = "connecting";
  line.next("sync").reject({ code: 11, message: "connection closed" });
  await settled();
  chat.connection.status.value = "connected";
  heard.get("room:r")?.subscribed(true);
  line.next("sync").resolve({ events: [said("b", 2)], seq: 2 });
  await settled();
  expect(shown(chat.room("r"))).toBe("ab");
  chat.close();
});

it("opens the room that is shown when the connection is back, if it could not be opened without", async () => {
  const { chat, line } = await chatting(info("r"));
  const showing = chat.show("r");
  line.next("rooms.open").reject({ code: 1, message: "timeout" });
  await showing;
  expect([chat.room("r").isOpen, chat.room("r").error.value]).toEqual([false, "timeout"]);
  chat.connection.epoch.value += 1;
  line.next("rooms.list").resolve({ rooms: [info("r")] });
  expect(chat.room("r").error.value).toBe("");
  line.next("rooms.open").resolve(answer(1, message("a", 1)));
  await settled();
  expect([shown(chat.room("r")), line.methods]).toEqual(["a", []]);
  chat.close();
});

it("shows a room though the address names none that can be read", async () => {
  vi.stubGlobal("location", new URL("http://127.0.0.1:9/#100%"));
  const { chat, line } = await chatting();
  void chat.refresh();
  line.next("rooms.list").resolve({ rooms: [info("r")] });
  await settled();
  expect(chat.current.value?.id).toBe("r");
  chat.close();
});

it("tells of each message once, also of one that a list of rooms has counted already", async () => {
  const { chat, line, heard } = await chatting(info("r", { unread: 1, seq: 2 }));
  const told: string[] = [];
  chat.onMessage((_room, { id }) => told.push(id));
  const showing = chat.show("r");
  line.next("rooms.open").resolve(answer(1, message("a", 1)));
  await showing;
  heard.get("room:r")?.publication(said("b", 2));
  heard.get("room:r")?.publication(said("b", 2));
  heard.get("room:r")?.publication(said("c", 3));
  expect([told, chat.info("r")?.unread]).toEqual([["b", "c"], 2]);
  chat.close();
});
