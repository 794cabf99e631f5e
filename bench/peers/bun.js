// Bun: /echo, and /fan on its native publish. Usage: bun bun.js PORT [deflate]
const [port, deflate] = [Number(process.argv[2]), process.argv[3] === "deflate"];

const server = Bun.serve({
  hostname: "127.0.0.1",
  port,
  fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (pathname !== "/echo" && pathname !== "/fan") return new Response(null, { status: 404 });
    if (server.upgrade(request, { data: pathname === "/fan" })) return;
    return new Response(null, { status: 400 });
  },
  websocket: {
    perMessageDeflate: deflate && { compress: "shared", decompress: "shared" },
    maxPayloadLength: 16 * 1024 * 1024,
    backpressureLimit: 64 * 1024 * 1024,
    idleTimeout: 0,
    open(ws) {
      if (ws.data) ws.subscribe("fan");
    },
    message(ws, message) {
      if (ws.data) server.publish("fan", message);
      else ws.send(message, deflate);
    },
  },
});
