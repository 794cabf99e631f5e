// Many of Centrifugo's npm clients; each notes what it hears. Prints what it found as JSON.
// Usage: node swarm.mjs URL FIRST COUNT CHANNELS TRANSPORT

import { Centrifuge } from "centrifuge";
import { EventSource } from "eventsource";
import WebSocket from "ws";

const [url, ...numbers] = process.argv.slice(2);
const [first, count, channels] = numbers.slice(0, 3).map(Number);
const transport = numbers[3] ?? "websocket";
const ears = [];

for (let number = first; number < first + count; number += 1) {
  const ear = { heard: 0, last: 0, wrong: 0, recovered: 0, unrecovered: 0 };
  const options = {
    websocket: WebSocket,
    eventsource: EventSource,
    minReconnectDelay: 200,
    maxReconnectDelay: 1000,
    maxServerPingDelay: 1500,
    emulationEndpoint: `${url.replace(/^ws/, "http").replace(/[^/]*$/, "")}emulation?n=${number}`,
  };
  const endpoint =
    transport === "websocket"
      ? `${url}?n=${number}`
      : [{ transport, endpoint: `${url.replace(/^ws/, "http").replace(/[^/]*$/, "")}${transport}?n=${number}` }];
  ear.client = new Centrifuge(endpoint, options);
  const subscription = ear.client.newSubscription(`stream:${number % channels}`, {
    minResubscribeDelay: 200,
  });
  ear.subscribed = new Promise((resolve) => subscription.once("subscribed", resolve));
  subscription.on("subscribed", ({ wasRecovering, recovered }) => {
    if (wasRecovering) {
      ear[recovered ? "recovered" : "unrecovered"] += 1;
    }
  });
  ear.ended = new Promise((resolve) => {
    subscription.on("publication", ({ data }) => {
      if (data === 0) {
        resolve();
        return;
      }
      ear.heard += 1;
      ear.wrong += data === ear.last + 1 ? 0 : 1;
      ear.last = data;
    });
  });
  subscription.subscribe();
  ear.client.connect();
  ears.push(ear);
}

await Promise.all(ears.map((ear) => ear.subscribed));
console.log("ready");
await Promise.all(ears.map((ear) => ear.ended));
const sum = (name) => ears.reduce((all, ear) => all + ear[name], 0);
console.log(
  JSON.stringify({
    heard: ears.map((ear) => [ear.heard, ear.last, ear.wrong]),
    recovered: sum("recovered"),
    unrecovered: sum("unrecovered"),
  }),
);
process.exit(0);
