/** A page of `tests/integration/hub/test_tabs.py`: its test calls what it finds here. */

import { Outbox, deliver, memory, share, type Refusal } from "../../src/index";

const shared = share(() => new SharedWorker("worker.js").port);
const outbox = new Outbox(memory());
const told: unknown[] = [];
const failed: unknown[] = [];
const send = deliver(outbox, {
  send: ({ key, method, params }) => shared.rpc(method, { key, text: params }),
  isOnline: () => true,
  isTemporary: (error) => (error as Refusal).code < 100,
});

Object.assign(globalThis, {
  told,
  failed,
  outbox,
  hear: (channel: string) =>
    void shared.subscribe(channel, (data) => told.push(data), {
      // Whoever keeps calls sends them when the connection is back.
      subscribed: (isGapless) => (told.push(isGapless), void send()),
    }),
  ask: (method: string) => void shared.rpc(method, null).catch((error: unknown) => failed.push(error)),
  say: (text: string) => (outbox.add("say", text), void send()),
});
