// irc-framework, as web clients of IRC use it, against a running server: by WebSocket. Prints one JSON object a line.
// Usage: node irc.mjs HOST PORT PATH SUBPROTOCOL NICK; lines of standard input are carried out as [method, ...arguments].

import readline from "node:readline";
import Irc from "irc-framework";
import Transport from "irc-framework/src/transports/websocket.js";
import WebSocket from "ws";

globalThis.WebSocket = WebSocket;
const [host, port, path, protocol, nick] = process.argv.slice(2);
const tell = (what, event) => console.log(JSON.stringify([what, event]));

const client = new Irc.Client({
  host,
  port,
  path,
  nick,
  username: nick,
  gecos: `${nick} of a page`,
  transport: Transport,
  websocket_protocol: protocol,
  enable_echomessage: true,
  auto_reconnect: false,
  version: null,
});
client.on("registered", ({ nick }) => tell("registered", { nick, caps: client.network.cap.enabled.sort() }));
client.on("join", ({ channel, nick }) => tell("join", { channel, nick }));
client.on("userlist", ({ channel, users }) => tell("userlist", { channel, nicks: users.map((one) => one.nick) }));
client.on("message", ({ type, nick, target, message, tags, from_server }) =>
  from_server || tell("message", { type, nick, target, message, id: tags.msgid }),
);
client.on("tagmsg", ({ nick, target, tags }) => tell("tagmsg", { nick, target, emoji: tags["+draft/react"] }));
client.on("topic", ({ channel, topic }) => tell("topic", { channel, topic }));
client.on("close", () => {
  tell("close", {});
  process.exit(0);
});
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const [method, ...given] = JSON.parse(line);
  client[method](...given);
});
client.connect();
