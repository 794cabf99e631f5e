// Centrifugo's own client against a running server: what its documentation shows. Prints one JSON object a line.
// Usage: node live.mjs URL TOKEN

import { Centrifuge } from "centrifuge";
import WebSocket from "ws";

const [url, token] = process.argv.slice(2);
const tell = (what) => console.log(JSON.stringify(what));
const once = (emitter, event) => new Promise((resolve) => emitter.once(event, resolve));

let asked = 0;
const client = new Centrifuge(`${url}/connection/websocket`, {
  websocket: WebSocket,
  token,
  minReconnectDelay: 10,
  getToken: async () => {
    asked += 1;
    return token;
  },
});
client.on("error", (context) => tell({ error: context.error }));
client.connect();
tell({ connected: (await once(client, "connected")).transport });

const room = client.newSubscription("room:js", { joinLeave: true });
const got = [];
room.on("publication", ({ data, offset }) => got.push([data, offset]));
room.once("join", ({ info }) => tell({ join: info.user }));
room.subscribe();
const subscribed = await once(room, "subscribed");
tell({ recoverable: subscribed.recoverable, recovered: subscribed.recovered });
const arrived = once(room, "publication");
await room.publish({ text: "from node" });
await arrived;
tell({ stats: await room.presenceStats() });
tell({ users: Object.values((await room.presence()).clients).map((one) => one.user) });
tell({ sum: (await client.rpc("add", [1, 2, 3])).data });

// The line is cut, something is said meanwhile, and nothing is lost.
const again = once(room, "subscribed");
client.disconnect();
tell("cut");
await new Promise((resolve) => process.stdin.once("data", resolve));
client.connect();
tell({ wasRecovering: (await again).wasRecovering, recovered: room.state });
while (got.length < 3) {
  await once(room, "publication");
}
tell({ got });
tell({ history: (await room.history({ limit: 2, reverse: true })).publications.map((one) => one.offset) });

const doc = client.newSubscription("doc", { delta: "fossil" });
const texts = [];
doc.on("publication", ({ data }) => texts.push(data.text.length));
doc.subscribe();
await once(doc, "subscribed");
tell("ready for deltas");
while (texts.length < 3) {
  await once(doc, "publication");
}
tell({ texts });
await room.unsubscribe();
client.disconnect();
process.exit(0);
