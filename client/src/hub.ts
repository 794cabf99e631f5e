/** The worker's end of a shared connection: subscribes once for all tabs, and gives each what it asked for. */

import type { Centrifuge, PublicationContext, SubscribedContext, Subscription, UnsubscribedContext } from "centrifuge";

import { browserLocks, hold, whenReleased, type Locks } from "./life";
import type { Asked, Heard, Port, Refusal, Told } from "./shared";

type Tab = Port<Told, Asked>;

/** A channel that tabs hear. */
interface Channel {
  readonly subscription: Subscription;
  /** Who hears it, and as what. */
  readonly tabs: Map<Tab, number>;
  isSubscribed: boolean;
}

/** Puts tabs on one connection. */
export class SharedHub {
  private readonly channels = new Map<string, Channel>();
  private readonly life: Promise<string | undefined>;

  constructor(
    private readonly client: Centrifuge,
    private readonly locks: Locks | undefined = browserLocks(),
  ) {
    this.life = hold(locks);
  }

  /** Serves one more tab, until it is gone or the returned function is called. */
  join(tab: Tab): () => void {
    tab.onmessage = ({ data }) => this.asked(tab, data);
    void this.life.then((lock) => tab.postMessage({ tell: "alive", lock }));
    return () => this.gone(tab);
  }

  private gone(tab: Tab): void {
    tab.onmessage = null;
    tab.close?.();
    for (const channel of [...this.channels.keys()]) {
      this.leave(tab, channel);
    }
  }

  private asked(tab: Tab, asked: Asked): void {
    switch (asked.ask) {
      case "alive":
        whenReleased(this.locks, asked.lock, () => this.gone(tab));
        break;
      case "subscribe":
        this.enter(tab, asked.channel, asked.hearing);
        break;
      case "unsubscribe":
        this.leave(tab, asked.channel);
        break;
      case "rpc":
        this.client.rpc(asked.method, asked.params).then(
          ({ data }) => tab.postMessage({ tell: "result", id: asked.id, value: data }),
          ({ code, message, temporary }: Refusal) =>
            tab.postMessage({ tell: "error", id: asked.id, error: { code, message, temporary } }),
        );
        break;
    }
  }

  private enter(tab: Tab, channel: string, hearing: number): void {
    const known = this.channels.get(channel);
    if (known) {
      known.tabs.set(tab, hearing);
      if (known.isSubscribed) {
        // For this one it begins now. A connection that is away comes back to where it was: that is earlier.
        tab.postMessage({ tell: "subscribed", channel, hearing, isGapless: false });
      }
      return;
    }
    const made = { subscription: this.client.newSubscription(channel), tabs: new Map([[tab, hearing]]), isSubscribed: false };
    this.channels.set(channel, made);
    this.listen(channel, made);
    made.subscription.subscribe();
  }

  private listen(channel: string, made: Channel): void {
    const { subscription, tabs } = made;
    const tell = (heard: Heard) => tabs.forEach((hearing, tab) => tab.postMessage({ ...heard, channel, hearing }));
    subscription.on("publication", ({ data, offset }: PublicationContext) =>
      tell({ tell: "publication", data, offset }),
    );
    subscription.on("subscribed", ({ wasRecovering, recovered }: SubscribedContext) => {
      made.isSubscribed = true;
      tell({ tell: "subscribed", isGapless: wasRecovering && recovered });
    });
    subscription.on("unsubscribed", ({ code, reason }: UnsubscribedContext) => {
      if (this.channels.get(channel) === made) {
        // Whoever asks for it again gets a new one.
        this.channels.delete(channel);
        this.client.removeSubscription(subscription);
        tell({ tell: "unsubscribed", code, reason });
      }
    });
  }

  private leave(tab: Tab, channel: string): void {
    const known = this.channels.get(channel);
    if (known?.tabs.delete(tab) && known.tabs.size === 0) {
      this.channels.delete(channel);
      this.client.removeSubscription(known.subscription);
    }
  }
}
