// uWebSockets.js: /echo, and /fan on its native topics. Usage: node uws.cjs PORT [deflate]
const uWS = require("@trufflesuite/uws-js-unofficial");
const [port, deflate] = [Number(process.argv[2]), process.argv[3] === "deflate"];

const options = {
  compression: deflate ? uWS.SHARED_COMPRESSOR : uWS.DISABLED,
  maxPayloadLength: 16 * 1024 * 1024,
  maxBackpressure: 64 * 1024 * 1024,
  idleTimeout: 0,
};

const app = uWS
  .App()
  .ws("/echo", {
    ...options,
    message: (ws, message, isBinary) => ws.send(message, isBinary, deflate),
  })
  .ws("/fan", {
    ...options,
    open: (ws) => ws.subscribe("fan"),
    message: (ws, message, isBinary) => app.publish("fan", message, isBinary),
  })
  .listen("127.0.0.1", port, (socket) => {
    if (!socket) process.exit(1);
  });
