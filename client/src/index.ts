/** What web pages of a Hubbub server share, on top of Centrifugo's client. */

export { Outbox, memory, type Call, type Store } from "./outbox";
export { procedures, type Procedures, type Caller } from "./procedures";
export { deliver, type Delivery } from "./delivery";
export { SharedHub } from "./hub";
export { share } from "./tab";
export type { Shared, Listener, Refusal, Standing } from "./shared";
export type { Locks } from "./life";
