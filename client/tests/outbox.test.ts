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
    const key = keys();
    const outbox = new Outbox(store, "o", key);
    for (let made = 1; made <= 12; made += 1) {
      outbox.add("say", made);
    }
    expect(outbox.settle("k1")).toBe(true);
    expect(outbox.settle("k1")).toBe(false);
    const again = new Outbox(store, "o", key);
    expect(again.waiting[0]).toEqual({ key: "k2", method: "say", params: 2 });
    again.add("say", 13);
    expect(new Outbox(store, "o").waiting.map(({ params }) => params)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  });

  it("is bounded, and does not mind what it cannot read", () => {
    const store = memory();
    const key = keys();
    const outbox = new Outbox(store, "o", key, 1);
    outbox.add("say", 1);
    expect(() => outbox.add("say", 2)).toThrow(RangeError);
    new Outbox(store, "o/p", key).add("say", "another's");
    ["", "{", "5", "null", '{"order":1}', '{"order":1,"call":{"key":1}}', '{"call":{"key":"x6","method":"say"}}'].forEach((text, at) =>
      store.setItem(`o/x${at}`, text),
    );
    expect(new Outbox(store, "o").waiting.map(({ params }) => params)).toEqual([1]);
    expect(store.length).toBe(9);
  });

  it("forgets nothing when its store is full", () => {
    let isFull = false;
    const store = memory();
    const { setItem } = store;
    store.setItem = (name, text) => {
      if (isFull) throw new Error("full");
      setItem(name, text);
    };
    const outbox = new Outbox(store, "o", keys());
    outbox.add("say", 1);
    isFull = true;
    expect(() => outbox.add("say", 2)).toThrow("full");
    expect(outbox.waiting).toHaveLength(1);
    expect(outbox.settle("k1")).toBe(true);
    expect(new Outbox(store, "o").waiting).toEqual([]);
  });

  it("leaves alone what other tabs keep in its store", () => {
    const store = memory();
    const key = keys();
    const texts = (outbox: Outbox) => outbox.waiting.map(({ params }) => params);
    const one = new Outbox(store, "o", key);
    const two = new Outbox(store, "o", key);
    one.add("say", "one's");
    two.add("say", "two's");
    one.add("say", "one's second");
    expect([texts(one), texts(two)]).toEqual([["one's", "one's second"], ["two's"]]);
    // The second tab is closed, and another opens: what was left is not lost.
    const three = new Outbox(store, "o", key);
    expect(texts(three).toSorted()).toEqual(["one's", "one's second", "two's"]);
    one.settle("k1");
    three.settle("k2");
    expect(texts(new Outbox(store, "o"))).toEqual(["one's second"]);
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
    const outbox = new Outbox(memory(), "o", keys());
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
    const outbox = new Outbox(memory(), "o", keys());
    outbox.add("say", "a");
    const once = line(["ok", "ok"]);
    const run = deliver(outbox, once);
    await Promise.all([run(), run()]);
    expect(once.sent).toEqual(["k1"]);
  });
});
