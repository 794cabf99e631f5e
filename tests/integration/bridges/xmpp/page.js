// Somebody in a browser: logs in by strophe.js, joins a room, says things, and notes what is heard.

const { Strophe, $pres, $msg } = window.strophe ?? window;
const MUC = "http://jabber.org/protocol/muc";

window.heard = [];
window.problems = [];

/** Logs in at the WebSocket that host-meta names; resolves with the full JID. */
window.enter = async (user, domain, password) => {
  const meta = await (await fetch("/.well-known/host-meta.json")).json();
  const url = meta.links.find((one) => one.rel === "urn:xmpp:alt-connections:websocket").href;
  const connection = new Strophe.Connection(url, { protocol: "ws" });
  window.connection = connection;
  return new Promise((resolve, reject) => {
    connection.connect(`${user}@${domain}`, password, (status, condition) => {
      if (status === Strophe.Status.CONNECTED) resolve(connection.jid);
      else if (status === Strophe.Status.DISCONNECTED) window.left = true;
      else if ([Strophe.Status.CONNFAIL, Strophe.Status.AUTHFAIL, Strophe.Status.ERROR].includes(status))
        reject(new Error(`${Object.keys(Strophe.Status).find((one) => Strophe.Status[one] === status)} ${condition}`));
    });
  });
};

/** Joins a room; resolves when the room says so. */
window.join = (room, nick) =>
  new Promise((resolve) => {
    connection.addHandler(
      (stanza) => {
        const body = stanza.querySelector("body");
        if (body) heard.push([Strophe.getResourceFromJid(stanza.getAttribute("from")), body.textContent]);
        return true;
      },
      null,
      "message",
      "groupchat",
    );
    connection.addHandler((stanza) => {
      if (!stanza.querySelector("status[code='110']")) return true;
      resolve(true);
      return false;
    }, null, "presence");
    connection.send($pres({ to: `${room}/${nick}` }).c("x", { xmlns: MUC }).c("history", { maxstanzas: "0" }));
  });

/** Says something in several languages at once. */
window.say = (room, bodies) => {
  const message = $msg({ to: room, type: "groupchat", id: connection.getUniqueId() });
  for (const [lang, text] of Object.entries(bodies)) message.c("body", { "xml:lang": lang }).t(text).up();
  connection.send(message);
};

window.leave = () => connection.disconnect("bye");
