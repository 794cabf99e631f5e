import { describe, expect, it } from "vitest";

import { command } from "../src/room/commands";
import { complete, completion } from "../src/room/completion";
import { keyOf, rows } from "../src/room/groups";
import { judge, Resumer } from "../src/room/resume";
import { begun, failed, gone, nothing, preview, restored, type Said } from "../src/room/sending";
import { apply, jumped, lastOf, opened, seen, trimmed, withMembers, withNewer, withOlder, type RoomState } from "../src/room/state";
import type { Message, RoomEvent } from "../src/wire";

function message(id: string, more: Partial<Message> = {}): Message {
  return { id, room: "r", seq: 1, ts: 0, user: "u1", nick: "Ada", kind: "text", text: id, lang: "en", langSource: "detected", ...more };
}

function room(...ids: string[]): RoomState {
  return opened(
    {
      room: { id: "r", name: "Lobby", kind: "open", topic: "", joined: true, role: "", members: 1, unread: 0, mentions: 0, seq: 10, lastRead: 1 },
      members: [{ user: "u1", nick: "Ada", langs: ["en"], preferred: "en", role: "owner" }],
      messages: ids.map((id) => message(id)),
      seq: 10,
      lastRead: 1,
      more: true,
    },
  );
}

let seq = 10;
type Bare<E> = E extends RoomEvent ? Omit<E, "seq" | "ts"> : never;
const event = (body: Bare<RoomEvent>): RoomEvent => ({ seq: ++seq, ts: 0, ...body }) as RoomEvent;
const ids = (state: RoomState) => state.messages.map(({ id }) => id).join("");

describe("a room", () => {
  it("takes messages in, each once, in order", () => {
    let state = apply(room("a", "b"), event({ type: "message", message: message("d") }));
    state = apply(state, event({ type: "message", message: message("c") }));
    state = apply(state, event({ type: "message", message: message("d", { text: "again" }) }));
    expect(ids(state)).toBe("abcd");
    expect(state.seq).toBe(seq);
  });

  it("edits, and forgets the translations of what was there before", () => {
    let state = apply(room("a"), event({ type: "translation", id: "a", lang: "fr", text: "x", engine: "e", by: "server" }));
    expect(state.messages[0]?.translations?.fr?.text).toBe("x");
    state = apply(state, event({ type: "edit", id: "a", text: "new", lang: "de", langSource: "detected", edited: 5, by: "u1" }));
    expect(state.messages[0]).toMatchObject({ text: "new", lang: "de", edited: 5, mentions: [] });
    expect(state.messages[0]?.translations).toBeUndefined();
    state = apply(state, event({ type: "lang", id: "a", lang: "nl", langSource: "user", by: "u2" }));
    expect(state.messages[0]).toMatchObject({ lang: "nl", langSource: "user" });
  });

  it("deletes without a trace of what was said", () => {
    const state = apply(room("a", "b"), { ...event({ type: "delete", id: "a", by: "u1" }), ts: 7 });
    expect(state.messages[0]).toMatchObject({ deleted: 7, text: "" });
    expect(ids(state)).toBe("ab");
  });

  it("forgets a person with all they have said", () => {
    let state = apply(room("a"), event({ type: "message", message: message("b", { user: "u2", nick: "Béa" }) }));
    state = apply(state, { ...event({ type: "erase", user: "u1" }), ts: 9 });
    expect(state.messages.map(({ text, deleted }) => [text, deleted])).toEqual([["", 9], ["b", undefined]]);
    expect(state.members.size).toBe(0);
  });

  it("counts reactions by person, where they stand", () => {
    let state = room("a");
    const react = (emoji: string, user: string, on: boolean) => {
      state = apply(state, event({ type: "react", id: "a", emoji, user, on }));
    };
    react("👍", "u1", true);
    react("🎉", "u2", true);
    react("👍", "u2", true);
    react("👍", "u1", true);
    expect(state.messages[0]?.reactions).toEqual({ "👍": ["u2", "u1"], "🎉": ["u2"] });
    expect(Object.keys(state.messages[0]?.reactions ?? {})).toEqual(["👍", "🎉"]);
    react("🎉", "u2", false);
    expect(state.messages[0]?.reactions).toEqual({ "👍": ["u2", "u1"] });
  });

  it("knows its people and its name", () => {
    let state = apply(room(), event({ type: "member", user: "u2", nick: "Béa", langs: ["fr"], preferred: "fr", role: "voice" }));
    expect(state.members.get("u2")).toEqual({ user: "u2", nick: "Béa", langs: ["fr"], preferred: "fr", role: "voice" });
    state = apply(state, event({ type: "part", user: "u1", kind: "kick", by: "u2" }));
    expect([...state.members.keys()]).toEqual(["u2"]);
    state = apply(state, event({ type: "topic", topic: "tea", by: "u2" }));
    state = apply(state, event({ type: "room", name: "Tea", kind: "unlisted" }));
    expect(state.info).toMatchObject({ topic: "tea", name: "Tea", kind: "unlisted" });
    state = apply(state, event({ type: "member", user: "u3", nick: "Cy" }));
    expect(state.members.get("u3")).toEqual({ user: "u3", nick: "Cy", langs: [], preferred: "en", role: "" });
    const before = state;
    state = apply(state, { ...event({ type: "topic", topic: "", by: "" }), type: "poll" } as unknown as RoomEvent);
    expect(state).toEqual({ ...before, seq });
  });

  it("has a window that moves", () => {
    let state = room("m", "n");
    state = withOlder(state, { messages: [message("k"), message("m")], more: true });
    expect(ids(state)).toBe("kmn");
    state = jumped(state, { messages: [message("c"), message("d")], more: true });
    state = apply(state, event({ type: "message", message: message("o") }));
    expect([ids(state), state.missed, state.isLive]).toEqual(["cd", 1, false]);
    // What was said after the page was made is not in it: there is no end yet.
    state = withNewer(state, { messages: [message("e")], more: false }, undefined);
    expect([ids(state), state.missed, state.isLive]).toEqual(["cde", 1, false]);
    state = withNewer(state, { messages: [message("o")], more: false }, state.newest);
    expect([ids(state), state.missed, state.isLive]).toEqual(["cdeo", 0, true]);
  });

  it("is at its end where what was told before it asked has gone", () => {
    let state = jumped(room("m"), { messages: [message("c")], more: true });
    state = apply(state, event({ type: "message", message: message("o") }));
    // It may have been said after this page was made, or have gone before: nobody knows.
    state = withNewer(state, { messages: [], more: false }, undefined);
    expect([state.newest, state.missed, state.isLive]).toEqual(["o", 1, false]);
    state = withNewer(state, { messages: [], more: false }, "o");
    expect([state.newest, state.missed, state.isLive]).toEqual([undefined, 0, true]);
  });

  it("does not grow for ever", () => {
    const state = trimmed(room("a", "b", "c", "d", "e"), 2);
    expect([ids(state), state.hasOlder]).toEqual(["de", true]);
    expect(ids(trimmed(room("a", "b", "c", "d"), 2))).toBe("abcd");
    expect(seen(room("a")).lastRead).toBe(10);
    expect(withMembers(room(), [{ user: "u2", nick: "Béa", langs: [], preferred: "fr", role: "" }]).members.size).toBe(2);
    expect(lastOf(room("a", "b"), "u1")?.id).toBe("b");
    expect(lastOf(room("a", "b"), "u2")).toBeUndefined();
  });
});

describe("resuming", () => {
  it("knows what comes next", () => {
    expect([3, 4, 5, 6].map((one) => judge(4, { seq: one }))).toEqual(["ignore", "ignore", "apply", "gap"]);
  });

  it("fills a gap once, and applies each event once and in order", async () => {
    const applied: number[] = [];
    const asked: number[] = [];
    const resumer = new Resumer<{ seq: number }>(
      4,
      ({ seq: one }) => applied.push(one),
      async (after) => {
        asked.push(after);
        return { events: [{ seq: 7 }, { seq: 5 }, { seq: 6 }], seq: 7 };
      },
      () => expect.unreachable(),
    );
    resumer.take({ seq: 8 });
    resumer.take({ seq: 7 });
    resumer.take({ seq: 5 });
    await Promise.resolve();
    await Promise.resolve();
    expect(applied).toEqual([5, 6, 7, 8]);
    expect(asked).toEqual([4]);
    resumer.take({ seq: 6 });
    resumer.take({ seq: 9 });
    expect(applied).toEqual([5, 6, 7, 8, 9]);
    expect(resumer.seq).toBe(9);
  });

  it("asks again for what was missed while it asked", async () => {
    const answers = [
      { events: [{ seq: 1 }], seq: 1 },
      { events: [{ seq: 2 }, { seq: 3 }], seq: 3 },
    ];
    const applied: number[] = [];
    const resumer = new Resumer<{ seq: number }>(
      0,
      ({ seq: one }) => applied.push(one),
      async () => answers.shift() ?? expect.unreachable(),
      () => expect.unreachable(),
    );
    const first = resumer.sync();
    void resumer.sync();
    await first;
    expect(applied).toEqual([1, 2, 3]);
  });

  it("starts anew when too much has happened, and bears a connection that is gone", async () => {
    let resets = 0;
    const gone = new Resumer<{ seq: number }>(0, () => {}, () => Promise.reject(new Error("gone")), () => resets++);
    await gone.sync();
    expect(resets).toBe(0);
    const late = new Resumer<{ seq: number }>(0, () => {}, async () => ({ events: [], seq: 900, reset: true }), () => resets++);
    await late.sync();
    expect(resets).toBe(1);
  });
});

describe("rows", () => {
  it("tell days, authors and what is new", () => {
    const minute = 60_000;
    const found = rows(
      [
        message("a"),
        message("b", { ts: minute }),
        message("c", { ts: 2 * minute, user: "u2" }),
        message("d", { seq: 2, ts: 3 * minute, user: "u2" }),
        message("e", { ts: 9 * minute, user: "u2" }),
        message("f", { ts: 9 * minute, user: "u2", replyTo: "a" }),
        message("g", { ts: 9 * minute, user: "u2", kind: "action" }),
        message("h", { ts: 2000 * minute, user: "u2" }),
      ],
      1,
      "u1",
      (ts) => String(Math.floor(ts / (1440 * minute))),
    );
    expect(found.map((row) => (row.kind === "message" ? `${row.key}${row.isFirst ? "!" : ""}` : row.kind))).toEqual(
      ["day", "a!", "b", "c!", "new", "d!", "e!", "f!", "g!", "day", "h!"],
    );
  });

  it("show no line where nothing of others is new", () => {
    const line = (...of: Parameters<typeof rows>) => rows(...of).some(({ kind }) => kind === "new");
    expect(line([message("a"), message("b", { seq: 2 })], 1, "u1")).toBe(false);
    expect(line([message("a")], 1, "u2")).toBe(false);
    expect(line([message("a")], 0, "u2")).toBe(true);
  });
});

describe("a command", () => {
  it.each([
    ["hello /me", { kind: "say", text: "hello /me" }],
    ["//path", { kind: "say", text: "/path" }],
    ["/usr/bin", { kind: "say", text: "/usr/bin" }],
    ["/me waves\nboth hands", { kind: "me", text: "waves\nboth hands" }],
    ["/ME waves", { kind: "me", text: "waves" }],
    ["/me", { kind: "incomplete", name: "me" }],
    ["/nick Ada L", { kind: "nick", nick: "Ada L" }],
    ["/topic", { kind: "topic", topic: "" }],
    ["/join #tea room", { kind: "join", name: "tea room" }],
    ["/part", { kind: "part" }],
    ["/msg @bea hi  there", { kind: "msg", nick: "bea", text: "hi  there" }],
    ["/kick bea too loud", { kind: "moderate", action: "kick", nick: "bea", reason: "too loud" }],
    ["/mute bea 10m noise", { kind: "moderate", action: "mute", nick: "bea", seconds: 600, reason: "noise" }],
    ["/ban bea", { kind: "moderate", action: "ban", nick: "bea", reason: "" }],
    ["/unban bea", { kind: "moderate", action: "unban", nick: "bea", reason: "" }],
    ["/lang pt-BR", { kind: "lang", lang: "pt-BR" }],
    ["/help", { kind: "help" }],
    ["/dance", { kind: "unknown", name: "dance" }],
    ["/ban", { kind: "incomplete", name: "ban" }],
  ])("%s", (typed, expected) => {
    expect(command(typed)).toEqual(expected);
  });
});

describe("completion", () => {
  const people = [
    { user: "1", nick: "Béa" },
    { user: "2", nick: "Abel" },
    { user: "3", nick: "علي" },
  ];
  const labels = (text: string, cursor = text.length) => completion(text, cursor, people)?.choices.map(({ label }) => label);

  it("finds nicks by their beginning first, whatever the accents", () => {
    expect(labels("hi @be")).toEqual(["Béa", "Abel"]);
    expect(labels("@عل")).toEqual(["علي"]);
    expect(labels("@")).toEqual(["Béa", "Abel", "علي"]);
    expect(labels("mail a@be")).toBeUndefined();
    expect(labels("@zoe")).toBeUndefined();
    expect(labels("@be rest", 3)).toEqual(["Béa", "Abel"]);
  });

  it("finds commands at the beginning only", () => {
    expect(labels("/m")).toEqual(["/me", "/msg", "/mute"]);
    expect(labels("x /m")).toBeUndefined();
  });

  it("puts the choice in its place", () => {
    expect(complete("hi @be there", 6, 3, "@Béa ")).toEqual({ text: "hi @Béa there", cursor: 8 });
  });
});

describe("sending", () => {
  const said: Said = { room: "r", text: "hi", nonce: "n1", kind: "text" };

  it("shows what waits, what failed and why", () => {
    let all = begun(nothing, said, 5);
    all = begun(all, { ...said, nonce: "n2" }, 6);
    all = failed(all, "n1", "too long");
    expect(all.get("n1")).toEqual({ said, ts: 5, state: "failed", reason: "too long" });
    all = begun(all, said, 7);
    expect([...all.keys()]).toEqual(["n2", "n1"]);
    all = gone(all, "n2");
    expect(failed(all, "n2", "late")).toBe(all);
    expect(gone(all, "n2")).toBe(all);
    expect(preview(all.get("n1") ?? expect.unreachable(), { user: "u1", nick: "Ada" })).toMatchObject({
      id: "~n1",
      text: "hi",
      user: "u1",
      lang: "und",
    });
  });

  it("stays the same row when it has arrived, and comes last until then", () => {
    const all = begun(nothing, said, 7);
    const waiting = preview(all.get("n1") ?? expect.unreachable(), { user: "u1", nick: "Ada" }, 9);
    expect(waiting.ts).toBe(9);
    let state = apply(room("a"), event({ type: "message", message: message("b", { text: "hi" }), nonce: "n1" }));
    const arrived = state.messages[1] ?? expect.unreachable();
    expect(keyOf(arrived)).toBe(keyOf(waiting));
    // Another may have had the same idea.
    expect(keyOf({ ...arrived, user: "u2" })).not.toBe(keyOf(waiting));
    // A page of the history knows no nonces.
    state = withOlder(state, { messages: [message("b", { text: "hi" })], more: false });
    expect(keyOf(state.messages[1] ?? expect.unreachable())).toBe(keyOf(waiting));
    expect(keyOf(message("a"))).toBe("a");
  });

  it("goes on after a reload", () => {
    expect(restored([{ key: "n1", method: "say", params: said }], 3).get("n1")).toEqual({ said, ts: 3, state: "sending" });
  });
});
