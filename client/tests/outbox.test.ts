import { describe, expect, it } from "vitest";

import { deliver, type Delivery } from "../src/delivery";
import { memory, Outbox, type Call } from "../src/outbox";

function keys(): () => string {
  let last = 0;
  return () => `k${++last}`;
}

describe("an outbox", () => {
  it("keeps calls in order, over a reload", () => {
    const store = memory();
    const outbox = new Outbox(store, keys());
    outbox.add("say", { text: "one" });
    outbox.add("say", { text: "two" });
    expect(outbox.settle("k1")).toBe(true);
    expect(outbox.settle("k1")).toBe(false);
    const again = new Outbox(store, keys());
    expect(again.waiting).toEqual([{ key: "k2", method: "say", params: { text: "two" } }]);
  });

  it("is bounded, and does not mind what it cannot read", () => {
    const outbox = new Outbox(memory(), keys(), 1);
    outbox.add("say", 1);
    expect(() => outbox.add("say", 2)).toThrow(RangeError);
    for (const text of ["", "{", "5", '[{"key":1}]']) {
      expect(new Outbox({ read: () => text, write: () => {} }).waiting).toEqual([]);
    }
  });

  it("forgets nothing when its store is full", () => {
    let isFull = false;
    const kept = memory();
    const store = {
      read: () => kept.read(),
      write: (text: string) => {
        if (isFull) throw new Error("full");
        kept.write(text);
      },
    };
    const outbox = new Outbox(store, keys());
    outbox.add("say", 1);
    isFull = true;
    expect(() => outbox.add("say", 2)).toThrow("full");
    expect(outbox.waiting).toHaveLength(1);
  });
});

describe("a delivery", () => {
  function line(answers: Array<"ok" | "gone" | "refused">): Delivery & { sent: string[]; settledKeys: string[] } {
    const sent: string[] = [];
    const settledKeys: string[] = [];
    return {
      sent,
      settledKeys,
      isOnline: () => answers.length > 0,
      isTemporary: (error) => error === "gone",
      settled: (call: Call) => settledKeys.push(call.key),
      send: async (call: Call) => {
        sent.push(call.key);
        const answer = answers.shift();
        if (answer !== "ok") throw answer;
      },
    };
  }

  it("sends each until it is answered, in order", async () => {
    const outbox = new Outbox(memory(), keys());
    for (const text of ["a", "b", "c"]) outbox.add("say", text);
    const first = line(["ok", "gone"]);
    await deliver(outbox, first)();
    expect(first.sent).toEqual(["k1", "k2"]);
    expect(first.settledKeys).toEqual(["k1"]);
    const second = line(["refused", "ok"]);
    await deliver(outbox, second)();
    expect(second.sent).toEqual(["k2", "k3"]);
    expect(outbox.waiting).toEqual([]);
  });

  it("does not run twice at a time", async () => {
    const outbox = new Outbox(memory(), keys());
    outbox.add("say", "a");
    const once = line(["ok", "ok"]);
    const run = deliver(outbox, once);
    await Promise.all([run(), run()]);
    expect(once.sent).toEqual(["k1"]);
  });
});
