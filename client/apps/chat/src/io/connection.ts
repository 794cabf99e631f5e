/** The connection to the hub: it comes back by itself, and says how it stands. */

import { signal } from "@preact/signals";
import { Centrifuge, type PublicationContext, type SubscribedContext, type Subscription } from "centrifuge";

export type Status = "connecting" | "connected" | "ended";

/** What a call was refused with. */
export interface RpcError {
  code: number;
  message: string;
  temporary?: boolean;
}

/** What a room's channel tells. */
export interface Hearing {
  publication(data: unknown): void;
  /** Heard from now on; `isGapless` if nothing was missed since it was heard last. */
  subscribed(isGapless: boolean): void;
  unsubscribed(code: number, reason: string): void;
}

/** Without an answer for so long, a call has failed. */
const TIMEOUT_MS = 10_000;

export class Connection {
  readonly status = signal<Status>("connecting");
  /** How often it has been made: what failed for want of it may be tried again. */
  readonly epoch = signal(0);
  /** Why it will not come back. */
  readonly reason = signal("");
  private readonly client: Centrifuge;

  constructor(told: (channel: string, data: unknown) => void) {
    const at = (path: string) => new URL(path, document.baseURI);
    const socket = at("connection/websocket");
    socket.protocol = socket.protocol === "https:" ? "wss:" : "ws:";
    this.client = new Centrifuge(
      [
        { transport: "websocket", endpoint: socket.href },
        { transport: "http_stream", endpoint: at("connection/http_stream").href },
      ],
      {
        emulationEndpoint: at("connection/emulation").href,
        timeout: TIMEOUT_MS,
        minReconnectDelay: 300,
        maxReconnectDelay: 10_000,
      },
    );
    this.client.on("connecting", () => {
      this.status.value = "connecting";
    });
    this.client.on("connected", () => {
      this.status.value = "connected";
      this.epoch.value += 1;
    });
    this.client.on("disconnected", ({ reason }) => {
      this.reason.value = reason;
      this.status.value = "ended";
    });
    this.client.on("publication", ({ channel, data }) => told(channel, data));
    // It listens to the browser, which often knows first that the network is back.
    this.client.connect();
  }

  /** Calls a procedure; rejects with `RpcError`. */
  async rpc<T>(method: string, params: unknown): Promise<T> {
    return (await this.client.rpc(method, params)).data as T;
  }

  /** Hears a channel until the returned function is called. */
  hear(channel: string, hearing: Hearing): () => void {
    const known = this.client.getSubscription(channel);
    if (known !== null) {
      this.client.removeSubscription(known);
    }
    const subscription: Subscription = this.client.newSubscription(channel);
    subscription.on("publication", ({ data }: PublicationContext) => hearing.publication(data));
    subscription.on("subscribed", ({ wasRecovering, recovered }: SubscribedContext) =>
      hearing.subscribed(wasRecovering && recovered),
    );
    subscription.on("unsubscribed", ({ code, reason }) => hearing.unsubscribed(code, reason));
    subscription.subscribe();
    return () => {
      subscription.removeAllListeners();
      this.client.removeSubscription(subscription);
    };
  }

  close(): void {
    this.client.disconnect();
  }
}

/** Whether an error can go away by itself: the network was gone, or the server was busy. */
export function isTemporary(error: unknown): boolean {
  const { code, temporary } = error as Partial<RpcError>;
  // Below 100 are the client's own: timeouts, and a connection that closed meanwhile.
  return temporary === true || code === undefined || code < 100 || code === 429;
}
