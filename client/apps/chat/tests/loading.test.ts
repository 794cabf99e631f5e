import { describe, expect, it } from "vitest";

import { Room } from "../src/state/room";
import { answer, intoThePast, Line, message, opened, said, settled, shown } from "./line";

describe("a room that is loaded anew", () => {
  it("keeps what was said before the answer came, and is not in it", async () => {
    const { line, heard, room } = await opened();
    await intoThePast(room, line);
    const back = room.latest();
    const asked = line.next("rooms.open");
    room.take(said("b", 2));
    asked.resolve(answer(1, message("a", 1)));
    await back;
    expect(shown(room)).toBe("ab");
    expect(heard).toEqual([2]);
    room.take(said("c", 3));
    expect(shown(room)).toBe("abc");
    expect(line.methods).toEqual([]);
  });

  it("hears of each event once, also of those that are in the answer", async () => {
    const { line, heard, room } = await opened();
    await intoThePast(room, line);
    const back = room.latest();
    const again = room.latest();
    room.take(said("c", 3));
    room.take(said("b", 2));
    room.take(said("c", 3));
    line.next("rooms.open").resolve(answer(2, message("a", 1), message("b", 2, { text: "edited since" })));
    await Promise.all([back, again]);
    expect(shown(room)).toBe("abc");
    expect(room.message("b")?.text).toBe("edited since");
    expect(heard).toEqual([2, 3]);
    expect(line.methods).toEqual([]);
  });

  it("goes on with what it had where that fails", async () => {
    const { line, heard, room } = await opened();
    await intoThePast(room, line);
    const back = room.latest();
    room.take(said("b", 2));
    line.next("rooms.open").reject({ code: 1, message: "timeout" });
    await back;
    expect([shown(room), room.state.value?.missed, heard]).toEqual(["0", 1, [2]]);
    room.take(said("c", 3));
    expect([room.state.value?.missed, heard]).toEqual([2, [2, 3]]);
  });

  it("does not take an answer to what it asked before", async () => {
    const { line, heard, room } = await opened();
    await intoThePast(room, line);
    room.sync();
    const old = line.next("sync");
    const back = room.latest();
    room.take(said("d", 4));
    line.next("rooms.open").resolve(answer(3, message("b", 2), message("c", 3)));
    await back;
    old.resolve({ events: [said("b", 2)], seq: 2 });
    await settled();
    expect([shown(room), heard]).toEqual(["bcd", [4]]);
    room.take(said("e", 5));
    expect(shown(room)).toBe("bcde");
  });

  it("fills a gap that it finds while an answer to what it asked before is on its way", async () => {
    const { line, room } = await opened();
    await intoThePast(room, line);
    room.sync();
    const old = line.next("sync");
    const back = room.latest();
    line.next("rooms.open").resolve(answer(2, message("b", 2)));
    await back;
    room.take(said("d", 4));
    old.resolve({ events: [said("b", 2)], seq: 2 });
    await settled();
    line.next("sync").resolve({ events: [said("c", 3)], seq: 3 });
    await settled();
    expect(shown(room)).toBe("bcd");
  });

  it("is asked again for what may have been missed meanwhile", async () => {
    const { line, room } = await opened();
    room.sync();
    line.next("sync").resolve({ events: [], seq: 900, reset: true });
    await settled();
    const asked = line.next("rooms.open");
    room.sync();
    expect(line.methods).toEqual([]);
    asked.resolve(answer(900, message("y", 900)));
    await settled();
    expect(shown(room)).toBe("y");
    line.next("sync").resolve({ events: [said("z", 901)], seq: 901 });
    await settled();
    expect(shown(room)).toBe("yz");
  });
});

describe("a page of the history", () => {
  it("is of no use to a window that is elsewhere by now", async () => {
    const { line, room } = await opened();
    const jumping = room.jump("0");
    line.next("history").resolve({ messages: [message("0", 0)], more: true });
    await jumping;
    const older = room.loadOlder();
    const newer = room.loadNewer();
    const back = room.latest();
    line.next("rooms.open").resolve(answer(9, message("h", 8), message("i", 9)));
    await back;
    line.next("history").resolve({ messages: [message("/", 0)], more: false });
    line.next("history").resolve({ messages: [message("1", 1)], more: true });
    await Promise.all([older, newer]);
    expect([shown(room), room.state.value?.isLive]).toEqual(["hi", true]);
  });
});

describe("a page of the history that was made before a change", () => {
  it("has the change, and what was said is not in it", async () => {
    const { line, room } = await opened();
    const jumping = room.jump("5");
    const asked = line.next("history");
    room.take({ type: "edit", seq: 2, ts: 2, id: "5", text: "new", lang: "en", langSource: "user", edited: 2, by: "u2" });
    room.take(said("b", 3));
    room.take({ type: "delete", seq: 4, ts: 4, id: "6", by: "u2" });
    asked.resolve({ messages: [message("5", 0), message("6", 0)], more: true });
    await jumping;
    expect(shown(room)).toBe("56");
    expect([room.message("5")?.text, room.message("6")?.deleted]).toEqual(["new", 4]);
    const older = room.loadOlder();
    const more = line.next("history");
    room.take({ type: "react", seq: 5, ts: 5, id: "4", emoji: "👍", user: "u1", on: true });
    more.resolve({ messages: [message("4", 0, { reactions: { "👍": ["u1"] } })], more: false });
    await older;
    expect(room.message("4")?.reactions).toEqual({ "👍": ["u1"] });
    expect(room.state.value?.seq).toBe(5);
  });
});

describe("the way back from the past", () => {
  it("does not end before what was said while it asked for the end", async () => {
    const { line, room } = await opened();
    const jumping = room.jump("0");
    line.next("history").resolve({ messages: [message("0", 0), message("a", 1)], more: false });
    await jumping;
    let more = room.loadNewer();
    const asked = line.next("history");
    room.take(said("b", 2));
    asked.resolve({ messages: [], more: false });
    await more;
    expect(room.state.value?.isLive).toBe(false);
    more = room.loadNewer();
    line.next("history").resolve({ messages: [message("b", 2)], more: false });
    await more;
    room.take(said("c", 3));
    expect([shown(room), room.state.value?.isLive, room.state.value?.missed]).toEqual(["0abc", true, 0]);
  });
});

it("tells of what happens in a room that is not open, or could not be opened", async () => {
  const line = new Line();
  const heard: number[] = [];
  const room = new Room("r", line.connection, ({ seq }) => heard.push(seq));
  room.take(said("a", 1));
  expect(heard).toEqual([1]);
  const opening = room.open();
  room.sync();
  room.take(said("b", 2));
  line.next("rooms.open").reject({ code: 403, message: "no" });
  await opening;
  expect(heard).toEqual([1, 2]);
  expect([room.isOpen, room.error.value, line.methods]).toEqual([false, "no", []]);
});
