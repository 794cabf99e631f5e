// Tabs on one connection, against a running server: each step begins with a line of stdin, and prints one JSON object.
// Usage: node shared.mjs URL TOKEN

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";

import { Centrifuge } from "centrifuge";
import { build } from "esbuild";
import WebSocket from "ws";

const folder = await mkdtemp(join(tmpdir(), "hubbub-"));
const outfile = join(folder, "client.mjs");
const entry = fileURLToPath(new URL("../src/index.ts", import.meta.url));
await build({ entryPoints: [entry], bundle: true, format: "esm", platform: "node", outfile, logLevel: "error" });
const { SharedHub, share } = await import(pathToFileURL(outfile));
await rm(folder, { recursive: true });

const [url, token] = process.argv.slice(2);
const client = new Centrifuge(`${url}/connection/websocket`, { websocket: WebSocket, token, minReconnectDelay: 10 });
client.connect();
const hub = new SharedHub(client);
const tell = (what) => console.log(JSON.stringify(what));

/** One more tab, which prints all that it is told of a channel. */
function tab(name) {
  const { port1, port2 } = new MessageChannel();
  hub.join(port1);
  const shared = share(() => port2);
  return {
    ...shared,
    hear: (channel) =>
      shared.subscribe(channel, (data) => tell({ [name]: data }), {
        subscribed: (isGapless) => tell({ [name]: "subscribed", isGapless }),
        unsubscribed: (code, reason) => tell({ [name]: "unsubscribed", code, reason }),
      }),
  };
}

const one = tab("one");
const two = tab("two");
const steps = {
  enter: () => one.hear("room:js"),
  join: () => two.hear("room:js"),
  cut: () => {
    client.disconnect();
    tell("cut");
  },
  mend: () => client.connect(),
  intrude: () => one.hear("closed"),
  call: () => one.rpc("busy", null).catch((error) => tell(error)),
  end: () => process.exit(0),
};
for await (const step of createInterface({ input: process.stdin })) {
  steps[step]();
}
