import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Centrifuge } from "centrifuge";

import { deliver } from "../src/delivery";
import { SharedHub } from "../src/hub";
import { memory, Outbox } from "../src/outbox";
import { share } from "../src/tab";
import type { Asked, Port, Shared, Standing, Told } from "../src/shared";

/** Two ports that hand each other's messages over at once. */
function pipe(): [Port<Asked, Told>, Port<Told, Asked>] {
  const tab: Port<Asked, Told> = { postMessage: () => {}, onmessage: null };
  const worker: Port<Told, Asked> = { postMessage: () => {}, onmessage: null };
  tab.postMessage = (data) => worker.onmessage?.({ data });
  worker.postMessage = (data) => tab.onmessage?.({ data });
  return [tab, worker];
}

/** As much of a connection as the hub uses. */
function connection() {
  const heard = new Map<string, Record<string, (context: unknown) => void>>();
  const removed: string[] = [];
  const client = {
    newSubscription: (channel: string) => ({
      channel,
      on: (event: string, listener: (context: unknown) => void) =>
        heard.set(channel, { ...heard.get(channel), [event]: listener }),
      subscribe: () => {},
    }),
    removeSubscription: ({ channel }: { channel: string }) => removed.push(channel),
    rpc: async (method: string, params: unknown) => {
      if (method === "fail") throw { code: 104, message: "method not found", temporary: false };
      if (method === "never") return new Promise(() => {});
      if (method === "busy") throw { code: 111, message: "too many requests", temporary: true };
      return { data: params };
    },
  };
  return { client: client as unknown as Centrifuge, heard, removed };
}

it("subscribes once for all tabs, and leaves with the last", () => {
  const { client, heard, removed } = connection();
  const hub = new SharedHub(client);
  const tabs = [0, 1].map(() => {
    const [tab, worker] = pipe();
    return { face: share(() => tab), gone: hub.join(worker) };
  });
  const got: unknown[] = [];
  const [first, second] = tabs as [(typeof tabs)[0], (typeof tabs)[0]];
  const leave = first.face.subscribe("room", (data) => got.push(["first", data]));
  second.face.subscribe("room", (data, offset) => got.push(["second", data, offset]));
  expect(heard.size).toBe(1);
  heard.get("room")?.["publication"]?.({ data: "hi", offset: 3 });
  expect(got).toEqual([
    ["first", "hi"],
    ["second", "hi", 3],
  ]);
  leave();
  heard.get("room")?.["publication"]?.({ data: "again", offset: 4 });
  expect(got).toHaveLength(3);
  expect(removed).toEqual([]);
  second.gone();
  expect(removed).toEqual(["room"]);
});

it("says how a channel stands, to each who hears it", async () => {
  const { client, heard, removed } = connection();
  const hub = new SharedHub(client);
  const [one, two] = [0, 1].map(() => {
    const [tab, worker] = pipe();
    hub.join(worker);
    return share(() => tab);
  }) as [Shared, Shared];
  const told: unknown[] = [];
  const standing = (who: string): Standing => ({
    subscribed: (isGapless) => told.push([who, isGapless]),
    unsubscribed: (code, reason) => told.push([who, code, reason]),
  });
  const happens = (event: string, context: unknown) => {
    told.length = 0;
    heard.get("room")?.[event]?.(context);
    return told;
  };
  const leave = one.subscribe("room", () => {}, standing("first"));
  expect(happens("subscribed", { wasRecovering: false, recovered: false })).toEqual([["first", false]]);
  // Who comes later has missed all before, in the same tab and in another.
  told.length = 0;
  one.subscribe("room", () => {}, standing("second"));
  two.subscribe("room", () => {}, standing("third"));
  await Promise.resolve();
  expect(told.toSorted()).toEqual([["second", false], ["third", false]]);
  expect(happens("subscribed", { wasRecovering: true, recovered: true })).toEqual([["first", true], ["second", true], ["third", true]]);
  expect(happens("subscribed", { wasRecovering: true, recovered: false })).toEqual([["first", false], ["second", false], ["third", false]]);
  expect(happens("unsubscribed", { code: 2502, reason: "left" })).toEqual(
    ["first", "second", "third"].map((who) => [who, 2502, "left"]),
  );
  expect(removed).toEqual(["room"]);
  // Asked for again, it is another one: those who heard the old one do not end it.
  const again: unknown[] = [];
  one.subscribe("room", (data) => again.push(data));
  leave();
  heard.get("room")?.["publication"]?.({ data: "anew", offset: 1 });
  expect(again).toEqual(["anew"]);
  expect(removed).toEqual(["room"]);
});

it("brings each tab its own answers", async () => {
  const { client } = connection();
  const hub = new SharedHub(client);
  const faces = [0, 1].map(() => {
    const [tab, worker] = pipe();
    hub.join(worker);
    return share(() => tab);
  });
  const results = await Promise.all(faces.map((face, number) => face.rpc("echo", number)));
  expect(results).toEqual([0, 1]);
  await expect(faces[0]?.rpc("fail", 0)).rejects.toEqual({
    code: 104,
    message: "method not found",
    temporary: false,
  });
});

it("loses no call that could be accepted later", async () => {
  const { client } = connection();
  const [tab, worker] = pipe();
  new SharedHub(client).join(worker);
  const face = share(() => tab);
  const outbox = new Outbox(memory());
  outbox.add("busy", "precious");
  await deliver(outbox, {
    send: ({ method, params }) => face.rpc(method, params),
    isOnline: () => true,
    isTemporary: (error) => (error as { temporary?: boolean }).temporary === true,
  })();
  expect(outbox.waiting.map(({ params }) => params)).toEqual(["precious"]);
});

/** Locks, as a browser has them: whoever waits for one gets it when its holder is killed. */
function lockable() {
  const held = new Map<string, (() => void)[]>();
  return {
    held,
    kill: (name: string) => {
      const waiting = held.get(name) ?? [];
      held.delete(name);
      waiting.forEach((granted) => granted());
    },
    async request(name: string, _options: LockOptions, granted: () => Promise<void> | void) {
      const waiting = held.get(name);
      if (waiting === undefined) {
        held.set(name, []);
        await granted();
      } else {
        waiting.push(() => void granted());
      }
    },
  };
}

describe("a worker that dies", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A tab whose worker never answers a call, and can be killed; each has a connection of its own. */
  async function mortal() {
    const workers: ReturnType<typeof connection>[] = [];
    const locks = lockable();
    const face = share(() => {
      const [tab, worker] = pipe();
      const made = connection();
      new SharedHub(made.client, locks).join(worker);
      workers.push(made);
      return tab;
    }, locks);
    await vi.advanceTimersByTimeAsync(0);
    const [tab, worker] = [...locks.held.keys()] as [string, string];
    return { face, workers, kill: () => locks.kill(worker), leave: () => locks.kill(tab) };
  }

  it("takes calls with it, and is replaced by one that hears the same", async () => {
    const { face, workers, kill } = await mortal();
    const told: unknown[] = [];
    face.subscribe("room", (data) => told.push(data), { subscribed: (isGapless) => told.push(isGapless) });
    workers[0]?.heard.get("room")?.["subscribed"]?.({ wasRecovering: true, recovered: true });
    const lost = face.rpc("never", 1).catch((error: unknown) => error);
    kill();
    expect(await lost).toEqual({ code: 11, message: "connection closed" });
    const leave = face.subscribe("other", () => {});
    const asked = face.rpc("echo", 2);
    leave();
    await vi.advanceTimersByTimeAsync(1000);
    expect(await asked).toBe(2);
    expect([...(workers[1]?.heard.keys() ?? [])]).toEqual(["room"]);
    workers[1]?.heard.get("room")?.["subscribed"]?.({ wasRecovering: false, recovered: false });
    workers[1]?.heard.get("room")?.["publication"]?.({ data: "hi" });
    workers[0]?.heard.get("room")?.["publication"]?.({ data: "from the dead" });
    expect(told).toEqual([true, false, "hi"]);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(workers).toHaveLength(2);
  });

  it("may have died before its first word", async () => {
    const ports: Port<Asked, Told>[] = [];
    const face = share(() => {
      const port = { postMessage: vi.fn(), onmessage: null, close: vi.fn() };
      ports.push(port);
      return port;
    }, lockable());
    const lost = face.rpc("echo", 1).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await lost).toEqual({ code: 11, message: "connection closed" });
    expect(ports).toHaveLength(2);
    expect(ports[0]?.close).toHaveBeenCalled();
  });

  it("hears for no tab that is gone", async () => {
    const { face, workers, leave } = await mortal();
    face.subscribe("room", () => {});
    leave();
    expect(workers[0]?.removed).toEqual(["room"]);
  });
});

it("does not wait for what cannot be asked", async () => {
  const { client } = connection();
  const { port1, port2 } = new MessageChannel();
  new SharedHub(client).join(port1 as unknown as Port<Told, Asked>);
  const face = share(() => port2 as unknown as Port<Asked, Told>);
  await expect(face.rpc("echo", () => {})).rejects.toThrow("could not be cloned");
  port2.close();
});

it("tells nothing of what was heard before to who has left and come again", () => {
  const { client, heard } = connection();
  const [tab, worker] = pipe();
  new SharedHub(client).join(worker);
  const face = share(() => tab);
  // What the worker says takes its time.
  const late: Told[] = [];
  worker.postMessage = (told) => void late.push(told);
  const arrive = () => late.splice(0).forEach((data) => tab.onmessage?.({ data }));
  const told: unknown[] = [];
  const hear = (who: string) =>
    face.subscribe("room", (data) => told.push([who, data]), {
      subscribed: (isGapless) => told.push([who, isGapless]),
      unsubscribed: (code) => told.push([who, code]),
    });
  const happens = (event: string, context: unknown) => heard.get("room")?.[event]?.(context);
  hear("first")();
  let leave = hear("second");
  happens("subscribed", { wasRecovering: true, recovered: true });
  happens("publication", { data: "old" });
  leave();
  leave = hear("third");
  arrive();
  expect(told).toEqual([]);
  happens("unsubscribed", { code: 2500, reason: "no" });
  leave();
  hear("fourth");
  happens("subscribed", { wasRecovering: false, recovered: false });
  happens("publication", { data: "new" });
  arrive();
  expect(told).toEqual([["fourth", false], ["fourth", "new"]]);
});
