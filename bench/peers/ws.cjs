// ws with its native helpers: /echo, and /fan as a loop over all clients. Usage: node ws.cjs PORT [deflate]
const { WebSocketServer } = require("ws");
const [port, deflate] = [Number(process.argv[2]), process.argv[3] === "deflate"];
const fan = new Set();

const server = new WebSocketServer({
  host: "127.0.0.1",
  port,
  perMessageDeflate: deflate && { threshold: 0, zlibDeflateOptions: { level: 1 } },
  skipUTF8Validation: false,
  maxPayload: 16 * 1024 * 1024,
});

server.on("connection", (socket, request) => {
  if (request.url === "/fan") {
    fan.add(socket);
    socket.on("close", () => fan.delete(socket));
    socket.on("message", (message, isBinary) => {
      for (const other of fan) other.send(message, { binary: isBinary });
    });
  } else {
    socket.on("message", (message, isBinary) => socket.send(message, { binary: isBinary }));
  }
});
