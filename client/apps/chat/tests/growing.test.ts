import { expect, it } from "vitest";

import { message, opened, said } from "./line";

const id = (seq: number) => `b${String(seq).padStart(6, "0")}`;

it("does not grow without end while its reader is further up, and loses nothing of what came meanwhile", async () => {
  const { line, room } = await opened();
  room.isFollowed = false;
  for (let seq = 2; seq <= 2000; seq += 1) {
    room.take(said(id(seq), seq));
  }
  const { messages = [], missed = 0, isLive } = room.state.value ?? {};
  expect(messages.length).toBeLessThan(1000);
  // What they look at is where it was, and all that is not here is counted.
  expect([messages[0]?.id, isLive, messages.length + missed]).toEqual(["a", false, 2000]);
  const last = messages.length;
  void room.loadNewer();
  const asked = line.next("history");
  expect(asked.params["after"]).toBe(id(last));
  asked.resolve({ messages: [message(id(last + 1), last + 1)], more: true });
});
