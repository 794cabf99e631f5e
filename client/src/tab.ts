/** The tab's end of a shared connection: asks the worker, and another one when that is gone. */

import { browserLocks, hold, whenReleased, type Locks } from "./life";
import type { Asked, Listener, Port, Refusal, Shared, Standing, Told } from "./shared";

/** A channel that a tab hears. */
interface Channel {
  readonly hearing: number;
  isSubscribed: boolean;
  readonly hearers: Set<{ readonly listener: Listener; readonly standing: Standing }>;
}

/** A call that has not been answered. */
interface Waiting {
  readonly asked: Asked;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** What a connection says of calls that it could not bring to their end: whoever keeps them sends them again. */
const LOST: Refusal = { code: 11, message: "connection closed" };

/** A worker that has said nothing for so long died before it could say how to wait for its end. */
const PATIENCE_MS = 10_000;

/** So long after a death there is a new worker: one that dies of its beginning must not keep the machine busy. */
const AGAIN_MS = 500;

/**
 * The tab's end. When the worker is gone it makes a new one: what is heard is subscribed there, with a gap, and calls
 * that were under way fail as those of a lost connection do.
 *
 * @param open makes a port to the worker, and the worker if there is none
 */
export function share(open: () => Port<Asked, Told>, locks = browserLocks()): Shared {
  const tab = new Tab(open, locks);
  return {
    subscribe: (channel, listener, standing) => tab.subscribe(channel, listener, standing),
    rpc: (method, params) => tab.rpc(method, params),
  };
}

class Tab implements Shared {
  private readonly channels = new Map<string, Channel>();
  private readonly calls = new Map<number, Waiting>();
  private readonly life: Promise<string | undefined>;
  /** Numbers what is heard and what is called. */
  private last = 0;
  /** None for a moment after the worker has died: what is asked meanwhile is asked of the next one. */
  private port: Port<Asked, Told> | undefined;
  private patience: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly open: () => Port<Asked, Told>,
    private readonly locks: Locks | undefined,
  ) {
    this.life = hold(locks);
    this.begin();
  }

  subscribe(channel: string, listener: Listener, standing: Standing = {}): () => void {
    const heard = this.channels.get(channel) ?? this.heardAnew();
    const hearer = { listener, standing };
    heard.hearers.add(hearer);
    if (heard.hearers.size === 1) {
      this.channels.set(channel, heard);
      this.port?.postMessage({ ask: "subscribe", channel, hearing: heard.hearing });
    } else if (heard.isSubscribed) {
      // For this one it begins now; not before it knows how to leave.
      queueMicrotask(() => heard.hearers.has(hearer) && standing.subscribed?.(false));
    }
    return () => {
      // What has ended, and was subscribed again by others, is left to them.
      if (heard.hearers.delete(hearer) && heard.hearers.size === 0 && this.channels.get(channel) === heard) {
        this.channels.delete(channel);
        this.port?.postMessage({ ask: "unsubscribe", channel });
      }
    };
  }

  rpc(method: string, params: unknown): Promise<unknown> {
    this.last += 1;
    const id = this.last;
    const asked: Asked = { ask: "rpc", id, method, params };
    return new Promise((resolve, reject) => {
      const waiting = { asked, resolve, reject };
      this.calls.set(id, waiting);
      this.send(id, waiting);
    });
  }

  private send(id: number, { asked, reject }: Waiting): void {
    try {
      this.port?.postMessage(asked);
    } catch (error) {
      // No port can carry it.
      this.calls.delete(id);
      reject(error);
    }
  }

  private heardAnew(): Channel {
    this.last += 1;
    return { hearing: this.last, isSubscribed: false, hearers: new Set() };
  }

  private begin(): void {
    const port = this.open();
    this.port = port;
    port.onmessage = ({ data }) => this.told(port, data);
    this.patience = setTimeout(() => this.died(port), PATIENCE_MS);
    void this.life.then((lock) => port.postMessage({ ask: "alive", lock }));
    for (const [channel, { hearing }] of this.channels) {
      port.postMessage({ ask: "subscribe", channel, hearing });
    }
    this.calls.forEach((waiting, id) => this.send(id, waiting));
  }

  private died(port: Port<Asked, Told>): void {
    if (this.port !== port) {
      return;
    }
    clearTimeout(this.patience);
    port.onmessage = null;
    port.close?.();
    this.port = undefined;
    for (const heard of this.channels.values()) {
      heard.isSubscribed = false;
    }
    const lost = [...this.calls.values()];
    this.calls.clear();
    setTimeout(() => this.begin(), AGAIN_MS);
    lost.forEach(({ reject }) => reject(LOST));
  }

  private told(port: Port<Asked, Told>, told: Told): void {
    switch (told.tell) {
      case "alive":
        clearTimeout(this.patience);
        whenReleased(this.locks, told.lock, () => this.died(port));
        break;
      case "result":
        this.calls.get(told.id)?.resolve(told.value);
        this.calls.delete(told.id);
        break;
      case "error":
        this.calls.get(told.id)?.reject(told.error);
        this.calls.delete(told.id);
        break;
      default:
        this.heard(told);
    }
  }

  private heard(told: Extract<Told, { channel: string }>): void {
    const heard = this.channels.get(told.channel);
    if (heard?.hearing !== told.hearing) {
      return;
    }
    switch (told.tell) {
      case "publication":
        heard.hearers.forEach(({ listener }) => listener(told.data, told.offset));
        break;
      case "subscribed":
        heard.isSubscribed = true;
        heard.hearers.forEach(({ standing }) => standing.subscribed?.(told.isGapless));
        break;
      case "unsubscribed":
        this.channels.delete(told.channel);
        heard.hearers.forEach(({ standing }) => standing.unsubscribed?.(told.code, told.reason));
        break;
    }
  }
}
