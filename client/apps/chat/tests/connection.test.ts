import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { afterEach, expect, it, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { Connection } from "../src/io/connection";

afterEach(() => void vi.unstubAllGlobals());

it("keeps calls that wait for it when the network is back", async () => {
  const page = new EventTarget();
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  vi.stubGlobal("document", { baseURI: `http://127.0.0.1:${port}/` });
  vi.stubGlobal("WebSocket", WebSocket);
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  // Whoever comes first is sent away: the connection waits before it tries again.
  let comers = 0;
  server.on("connection", (socket) => {
    comers += 1;
    if (comers === 1) {
      socket.close();
      return;
    }
    socket.on("message", (data) => {
      for (const line of String(data).split("\n")) {
        const { id, rpc } = JSON.parse(line) as { id: number; rpc?: { data: unknown } };
        const answer = rpc === undefined ? { connect: { client: "c", version: "" } } : { rpc: { data: rpc.data } };
        socket.send(JSON.stringify({ id, ...answer }));
      }
    });
  });
  const connection = new Connection(() => {});
  const statuses: string[] = [];
  connection.status.subscribe((status) => statuses.push(status));
  try {
    await once(server, "connection");
    const asked = connection.rpc("echo", "still wanted");
    asked.catch(() => {});
    page.dispatchEvent(new Event("offline"));
    page.dispatchEvent(new Event("online"));
    expect(await asked).toBe("still wanted");
    expect(statuses).toEqual(["connecting", "connected"]);
  } finally {
    connection.close();
    server.close();
  }
});
