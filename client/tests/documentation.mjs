// What the documentation of Centrifugo's client for JavaScript promises, one example after the other, in words of
// our own. Prints the name of each that holds. Usage: node documentation.mjs ws://HOST:PORT

import assert from "node:assert/strict";

import { Centrifuge, UnauthorizedError } from "centrifuge";
import { EventSource } from "eventsource";
import WebSocket from "ws";

const ws = process.argv[2];
const http = ws.replace(/^ws/, "http");
const socket = `${ws}/connection/websocket`;
const options = { websocket: WebSocket, eventsource: EventSource, minReconnectDelay: 10, maxReconnectDelay: 50 };

/** The next event of a kind. */
const once = (emitter, event) => new Promise((resolve) => emitter.once(event, resolve));
/** A token from the application, as its login gives it. */
const token = async (user, query = "") => {
  const answer = await fetch(`${http}/token/${user}?${query}`);
  if (answer.status === 403) {
    throw new UnauthorizedError("not logged in");
  }
  return answer.text();
};
/** Waits until something is so. */
const until = async (condition) => {
  while (!condition()) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
const clients = [];
/** A client of a user; goes at the end of its example. */
const client = async (user, more = {}, endpoint = socket) => {
  const made = new Centrifuge(endpoint, { ...options, token: await token(user), ...more });
  clients.push(made);
  return made;
};
const refused = async (promise) =>
  promise.then(
    () => assert.fail("was not refused"),
    (error) => error.code,
  );
/** All that is heard, in its order. */
const collect = (subscription) => {
  const found = [];
  subscription.on("publication", ({ data }) => found.push(data));
  return found;
};

const examples = {
  async "states of a client"() {
    const one = await client("bob");
    const states = [];
    one.on("state", ({ oldState, newState }) => states.push(`${oldState}-${newState}`));
    const connecting = once(one, "connecting");
    one.connect();
    await connecting;
    await one.ready();
    const disconnected = once(one, "disconnected");
    one.disconnect();
    assert.equal((await disconnected).code, 0);
    assert.deepEqual(states, ["disconnected-connecting", "connecting-connected", "connected-disconnected"]);
  },

  async "quick start: hear a channel"() {
    const one = await client("bob");
    const news = one.newSubscription("news");
    const heard = once(news, "publication");
    news.subscribe();
    one.connect();
    await news.ready();
    await one.rpc("say", { channel: "news", data: { text: "hi" } });
    assert.deepEqual((await heard).data, { text: "hi" });
    news.unsubscribe();
    await one.rpc("say", { channel: "news", data: "nobody hears it" });
    assert.equal(news.state, "unsubscribed");
  },

  async "publish, with and without a subscription"() {
    const one = await client("bob");
    one.connect();
    const news = one.newSubscription("news:p");
    const heard = collect(news);
    news.subscribe();
    await news.publish({ input: "hello world" });
    await one.publish("bare", { input: "hello" });
    assert.equal(await refused(one.publish("news", { input: "not subscribed" })), 103);
    await until(() => heard.length === 1);
  },

  async "send: a message that nobody answers, and one from the server"() {
    const one = await client("bob");
    const told = once(one, "message");
    one.connect();
    await one.ready();
    await one.send({ input: "hello" });
    assert.deepEqual((await told).data, { echo: { input: "hello" } });
  },

  async "rpc, and an error of the application's own"() {
    const one = await client("bob");
    one.connect();
    assert.deepEqual((await one.rpc("my.method.name", { input: "hello" })).data, { output: "hello" });
    assert.equal(await refused(one.rpc("my.method.name", {})), 400);
    assert.equal(await refused(one.rpc("no.such.method", {})), 104);
  },

  async "history: limit, since, reverse, only the position, a foreign position"() {
    const one = await client("bob");
    one.connect();
    const news = one.newSubscription("news:h");
    news.subscribe();
    await one.rpc("say", { channel: "news:h", data: 0, count: 5 });
    const all = await news.history({ limit: 100 });
    assert.deepEqual(all.publications.map(({ data }) => data), [0, 1, 2, 3, 4]);
    const since = { offset: 2, epoch: all.epoch };
    const later = await one.history("news:h", { since, limit: 2 });
    assert.deepEqual(later.publications.map(({ offset }) => offset), [3, 4]);
    const newest = await news.history({ limit: 2, reverse: true });
    assert.deepEqual(newest.publications.map(({ offset }) => offset), [5, 4]);
    const place = await news.history({ limit: 0 });
    assert.deepEqual([place.publications, place.offset, place.epoch], [[], 5, all.epoch]);
    assert.equal(await refused(news.history({ since: { offset: 1, epoch: "another" }, limit: 1 })), 112);
    const bare = one.newSubscription("bare");
    bare.subscribe();
    assert.equal(await refused(bare.history({ limit: 1 })), 108);
  },

  async "presence and its statistics, join and leave"() {
    const one = await client("bob");
    const other = await client("carol");
    one.connect();
    const here = one.newSubscription("news:r", { joinLeave: true });
    here.subscribe();
    await here.ready();
    const joined = new Promise((resolve) =>
      here.on("join", ({ info }) => info.user === "carol" && resolve(info.user)),
    );
    const left = new Promise((resolve) => here.on("leave", ({ info }) => resolve(info.user)));
    const there = other.newSubscription("news:r");
    there.subscribe();
    other.connect();
    assert.equal(await joined, "carol");
    const { clients: present } = await here.presence();
    assert.deepEqual(Object.values(present).map(({ user }) => user).sort(), ["bob", "carol"]);
    assert.deepEqual(await one.presenceStats("news:r"), { numClients: 2, numUsers: 2 });
    other.disconnect();
    assert.equal(await left, "carol");
    const bare = one.newSubscription("bare");
    bare.subscribe();
    assert.equal(await refused(bare.presence()), 108);
    assert.equal(await refused(one.presence("private:x")), 103);
  },

  async "connection token: had before the first connect, renewed before it runs out"() {
    let asked = 0;
    const getToken = async () => {
      asked += 1;
      return token("bob", "lifetime=2");
    };
    const one = await client("bob", { token: "", getToken });
    let drops = 0;
    one.on("connecting", ({ code }) => (drops += code === 0 ? 0 : 1));
    one.connect();
    await one.ready();
    await until(() => asked >= 3);
    assert.deepEqual((await one.rpc("my.method.name", { input: 1 })).data, { output: 1 });
    assert.equal(drops, 0);
  },

  async "connection token: one that has run out is replaced, no permission any more is an end"() {
    let asked = 0;
    const fresh = async () => {
      asked += 1;
      return token("bob");
    };
    const one = await client("bob", { token: await token("bob", "lifetime=-5"), getToken: fresh });
    one.connect();
    await one.ready();
    assert.equal(asked, 1);
    const gone = await client("nobody2", { token: "", getToken: () => token("nobody") });
    const ended = once(gone, "disconnected");
    gone.connect();
    assert.equal((await ended).code, 1);
    const forged = await client("bob", { token: "forged" });
    const refusedAway = once(forged, "disconnected");
    forged.connect();
    assert.equal((await refusedAway).code, 3500);
  },

  async "setToken: another user after the next connect"() {
    const one = await client("bob");
    const first = once(one, "connected");
    one.connect();
    assert.deepEqual((await first).data, { hello: "bob" });
    one.disconnect();
    one.setToken(await token("carol"));
    const second = once(one, "connected");
    one.connect();
    assert.deepEqual((await second).data, { hello: "carol" });
  },

  async "connect data, name, version and emulated headers reach the server"() {
    const headers = { Authorization: "Bearer of-the-page" };
    const one = await client("bob", { data: { name: "Maria" }, name: "docs", version: "1.2.3", headers });
    one.connect();
    const { data } = await one.rpc("last_connect", {});
    assert.deepEqual(data, { data: { name: "Maria" }, name: "docs", version: "1.2.3", headers });
    one.disconnect();
    one.setData({ name: "Ada" });
    one.setHeaders({ "X-Other": "1" });
    one.connect();
    const again = (await one.rpc("last_connect", {})).data;
    assert.deepEqual([again.data, again.headers], [{ name: "Ada" }, { "X-Other": "1" }]);
  },

  async "subscription token: had when needed, renewed before it runs out"() {
    let asked = 0;
    const getToken = async ({ channel }) => {
      asked += 1;
      return token("bob", `channel=${channel}&lifetime=2`);
    };
    const one = await client("bob");
    one.connect();
    const mine = one.newSubscription("private:bob", { getToken });
    let again = 0;
    mine.on("subscribing", ({ code }) => (again += code === 0 ? 0 : 1));
    const heard = collect(mine);
    mine.subscribe();
    await mine.ready();
    await until(() => asked >= 3);
    await one.rpc("say", { channel: "private:bob", data: "for you" });
    await until(() => heard.length === 1);
    assert.equal(again, 0);
  },

  async "subscription token: another channel's, none, and no permission any more"() {
    const one = await client("bob");
    one.connect();
    const wrong = one.newSubscription("private:a", { token: await token("bob", "channel=private:b") });
    const ended = once(wrong, "unsubscribed");
    wrong.subscribe();
    assert.equal((await ended).code, 103);
    const none = one.newSubscription("private:c", { getToken: async () => "" });
    const alsoEnded = once(none, "unsubscribed");
    none.subscribe();
    assert.equal((await alsoEnded).code, 1);
    const never = one.newSubscription("private:d", { getToken: () => token("nobody") });
    const thirdEnd = once(never, "unsubscribed");
    never.subscribe();
    assert.equal((await thirdEnd).code, 1);
  },

  async "subscription data, fixed and fresh"() {
    const one = await client("bob");
    one.connect();
    const asks = one.newSubscription("asks:1", { data: { page: 7 } });
    const subscribed = once(asks, "subscribed");
    asks.subscribe();
    assert.deepEqual((await subscribed).data, { asked: { page: 7 } });
    const fresh = one.newSubscription("asks:2", { getData: async ({ channel }) => ({ of: channel }) });
    const also = once(fresh, "subscribed");
    fresh.subscribe();
    assert.deepEqual((await also).data, { asked: { of: "asks:2" } });
  },

  async "since: recovery from a position that is known from elsewhere"() {
    const one = await client("bob");
    one.connect();
    await one.ready();
    await one.rpc("say", { channel: "news:s", data: 0, count: 4 });
    const first = one.newSubscription("news:s");
    first.subscribe();
    const { epoch } = await first.history({ limit: 0 });
    one.removeSubscription(first);
    const again = one.newSubscription("news:s", { since: { offset: 2, epoch } });
    const heard = collect(again);
    const subscribed = once(again, "subscribed");
    again.subscribe();
    const { wasRecovering, recovered } = await subscribed;
    assert.deepEqual([wasRecovering, recovered], [true, true]);
    await until(() => heard.length === 2);
    assert.deepEqual(heard, [2, 3]);
  },

  async "getState: the application's state, and again only when recovery fails"() {
    const one = await client("bob");
    one.connect();
    await one.ready();
    await one.rpc("say", { channel: "news:g", data: 0, count: 3 });
    const look = one.newSubscription("news:g");
    look.subscribe();
    const start = await look.history({ limit: 0 });
    one.removeSubscription(look);
    let loaded = 0;
    const getState = async () => {
      loaded += 1;
      const other = await client("carol");
      other.connect();
      const there = other.newSubscription("news:g");
      there.subscribe();
      const { offset, epoch } = loaded === 1 ? { ...start, offset: 1 } : await there.history({ limit: 0 });
      other.disconnect();
      return { offset, epoch };
    };
    const state = one.newSubscription("news:g", { getState, minResubscribeDelay: 10 });
    const heard = collect(state);
    state.subscribe();
    await state.ready();
    await until(() => heard.length === 2);
    assert.equal(loaded, 1);
    // What was published meanwhile is forgotten: recovery fails (112), and the state is loaded anew.
    one.disconnect();
    const other = await client("carol");
    other.connect();
    await other.rpc("say", { channel: "news:g", data: 0, count: 3 });
    await other.rpc("forget", "news:g");
    one.connect();
    await until(() => loaded === 2);
    await state.ready();
    await other.rpc("say", { channel: "news:g", data: "after" });
    await until(() => heard.includes("after"));
  },

  async "the registry of subscriptions"() {
    const one = await client("bob");
    const news = one.newSubscription("news");
    assert.throws(() => one.newSubscription("news"));
    assert.equal(one.getSubscription("news"), news);
    assert.deepEqual(Object.keys(one.subscriptions()), ["news"]);
    one.removeSubscription(news);
    assert.equal(one.getSubscription("news"), null);
  },

  async "batching: several commands at once, over a socket and over a stream"() {
    for (const endpoint of [socket, [{ transport: "http_stream", endpoint: `${http}/connection/http_stream` }]]) {
      const one = await client("bob", { emulationEndpoint: `${http}/connection/emulation` }, endpoint);
      one.connect();
      await one.ready();
      one.startBatching();
      const calls = [1, 2, 3].map((input) => one.rpc("my.method.name", { input }));
      one.stopBatching();
      assert.deepEqual((await Promise.all(calls)).map(({ data }) => data.output), [1, 2, 3]);
    }
  },

  async "a list of transports: the first that works, each by itself, with its emulation endpoint"() {
    const stream = { transport: "http_stream", endpoint: `${http}/connection/http_stream` };
    const sse = { transport: "sse", endpoint: `${http}/connection/sse` };
    const broken = { transport: "websocket", endpoint: `${ws}/no/such/place` };
    const lists = [
      [[{ transport: "websocket", endpoint: socket }, stream, sse], "websocket"],
      [[broken, stream, sse], "http_stream"],
      [[broken, sse], "sse"],
    ];
    for (const [list, expected] of lists) {
      const one = await client("bob", { emulationEndpoint: `${http}/connection/emulation` }, list);
      const connected = once(one, "connected");
      one.connect();
      assert.equal((await connected).transport, expected);
      const news = one.newSubscription("news:t");
      const heard = collect(news);
      news.subscribe();
      await news.publish(expected);
      await until(() => heard.includes(expected));
      one.disconnect();
    }
  },

  async "server-side subscriptions: from the start, recovered, added and ended by the server"() {
    const one = await client("ada");
    const subscribed = [];
    const heard = [];
    one.on("subscribed", ({ channel, recovered, data }) => subscribed.push([channel, recovered, data?.reason]));
    one.on("publication", ({ channel, data }) => heard.push([channel, data]));
    const joined = new Promise((resolve) => one.on("join", resolve));
    const unsubscribed = once(one, "unsubscribed");
    one.connect();
    await one.ready();
    assert.deepEqual(subscribed, [["personal:ada", false, undefined]]);
    assert.equal((await joined).info.user, "ada");
    await one.rpc("say", { channel: "personal:ada", data: 1 });
    await until(() => heard.length === 1);
    const subscribing = once(one, "subscribing");
    one.disconnect();
    assert.equal((await subscribing).channel, "personal:ada");
    const other = await client("bob");
    other.connect();
    await other.rpc("say", { channel: "personal:ada", data: 2 });
    one.connect();
    await until(() => heard.length === 2);
    assert.deepEqual(subscribed.at(-1), ["personal:ada", true, undefined]);
    await one.rpc("enrol", "private:lobby");
    await until(() => subscribed.length === 3);
    assert.deepEqual(subscribed.at(-1), ["private:lobby", false, "you are welcome"]);
    await one.rpc("say", { channel: "private:lobby", data: 3 });
    await until(() => heard.length === 3);
    assert.equal((await one.history("private:lobby", { limit: 10 })).publications.length, 1);
    await one.rpc("expel", "private:lobby");
    assert.equal((await unsubscribed).channel, "private:lobby");
    assert.deepEqual(heard, [["personal:ada", 1], ["personal:ada", 2], ["private:lobby", 3]]);
  },

  async "cache: who comes back gets the newest only"() {
    const one = await client("bob");
    one.connect();
    const price = one.newSubscription("price");
    const heard = collect(price);
    price.subscribe();
    await price.ready();
    await one.rpc("say", { channel: "price", data: "first" });
    await until(() => heard.length === 1);
    one.disconnect();
    const other = await client("carol");
    other.connect();
    await other.rpc("say", { channel: "price", data: 0, count: 5 });
    const subscribed = once(price, "subscribed");
    one.connect();
    assert.equal((await subscribed).recovered, true);
    await until(() => heard.length === 2);
    assert.deepEqual(heard, ["first", 4]);
  },

  async "delta: whole texts arrive, only changes travel"() {
    const one = await client("bob");
    one.connect();
    const text = one.newSubscription("document", { delta: "fossil" });
    const heard = collect(text);
    text.subscribe();
    await text.ready();
    const long = "many words ".repeat(50);
    for (const number of [1, 2, 3]) {
      await one.rpc("say", { channel: "document", data: { long, number } });
    }
    await until(() => heard.length === 3);
    assert.deepEqual(heard, [1, 2, 3].map((number) => ({ long, number })));
  },

  async "a filter that we do not have is refused, not ignored"() {
    const one = await client("bob");
    one.connect();
    const filtered = one.newSubscription("news:f", { tagsFilter: { key: "a", cmp: "eq", val: "b" } });
    const ended = once(filtered, "unsubscribed");
    filtered.subscribe();
    assert.equal((await ended).code, 108);
  },

  async "pings keep a silent connection; the server's end is told and final"() {
    const one = await client("bob", { maxServerPingDelay: 500 });
    let drops = 0;
    one.on("connecting", ({ code }) => (drops += code === 0 ? 0 : 1));
    one.connect();
    await one.ready();
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.equal(drops, 0);
    const ended = once(one, "disconnected");
    one.rpc("kick", {}).catch(() => {});
    assert.deepEqual(await ended, { code: 3503, reason: "force disconnect" });
  },
};

for (const [name, example] of Object.entries(examples)) {
  try {
    await example();
    console.log(name);
  } catch (error) {
    console.log(`FAILED ${name}: ${error.stack}`);
  }
  for (const one of clients.splice(0)) {
    one.disconnect();
  }
}
process.exit(0);
