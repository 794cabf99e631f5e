import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { backoff } from "../src/room/resume";
import { answer, message, opened, said, shown } from "./line";

const CLOSED = { code: 11, message: "connection closed" };
const BUSY = { code: 429, message: "slow down", temporary: true };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What has been promised comes about, and no time passes. */
const now = () => vi.advanceTimersByTimeAsync(0);

describe("what was missed and could not be asked for", () => {
  it("is asked for when the connection is back, though that one has missed nothing", async () => {
    const { line, room } = await opened();
    room.sync();
    line.status.value = "connecting";
    line.next("sync").reject(CLOSED);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(line.methods).toEqual([]);
    line.status.value = "connected";
    room.resume();
    expect(line.waiting[0]?.params).toEqual({ room: "r", after: 1 });
    line.next("sync").resolve({ events: [said("b", 2)], seq: 2 });
    await now();
    expect(shown(room)).toBe("ab");
    room.resume();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(line.methods).toEqual([]);
  });

  it("is asked for later if the server is busy, and not for ever if it refuses", async () => {
    const { line, room } = await opened();
    room.sync();
    for (let times = 0; times < 3; times += 1) {
      line.next("sync").reject(BUSY);
      await now();
      expect(line.methods).toEqual([]);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(line.methods).toEqual(["sync"]);
    }
    line.next("sync").reject({ code: 403, message: "no" });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(line.methods).toEqual([]);
  });

  it("is loaded later where it is too much", async () => {
    const { line, room } = await opened();
    room.sync();
    line.next("sync").resolve({ events: [], seq: 900, reset: true });
    await now();
    line.next("rooms.open").reject(BUSY);
    await now();
    expect([line.methods, shown(room)]).toEqual([[], "a"]);
    await vi.advanceTimersByTimeAsync(60_000);
    line.next("sync").resolve({ events: [], seq: 900, reset: true });
    await now();
    line.next("rooms.open").resolve(answer(900, message("z", 900)));
    await now();
    expect(shown(room)).toBe("z");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(line.methods).toEqual([]);
  });

  it("is asked for less and less often, by dice", () => {
    expect([1, 2, 3, 50].map((times) => backoff(times, 1))).toEqual([1_500, 3_000, 6_000, 30_000]);
    expect(backoff(1, 0)).toBe(750);
  });
});
