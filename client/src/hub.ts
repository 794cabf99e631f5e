/** The worker's end of a shared connection: subscribes once for all tabs, and gives each what it asked for. */

import type { Centrifuge, PublicationContext, Subscription } from "centrifuge";

import type { Asked, Port, Refusal, Told } from "./shared";

type Tab = Port<Told, Asked>;

/** Puts tabs on one connection. */
export class SharedHub {
  private readonly channels = new Map<string, { subscription: Subscription; tabs: Set<Tab> }>();

  constructor(private readonly client: Centrifuge) {}

  /** Serves one more tab, until the returned function is called. */
  join(tab: Tab): () => void {
    tab.onmessage = ({ data }) => this.asked(tab, data);
    return () => {
      tab.onmessage = null;
      for (const channel of [...this.channels.keys()]) {
        this.leave(tab, channel);
      }
    };
  }

  private asked(tab: Tab, asked: Asked): void {
    switch (asked.ask) {
      case "subscribe":
        this.enter(tab, asked.channel);
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

  private enter(tab: Tab, channel: string): void {
    const known = this.channels.get(channel);
    if (known) {
      known.tabs.add(tab);
      return;
    }
    const subscription = this.client.newSubscription(channel);
    const tabs = new Set([tab]);
    subscription.on("publication", ({ data, offset }: PublicationContext) => {
      for (const one of tabs) {
        one.postMessage({ tell: "publication", channel, data, offset });
      }
    });
    this.channels.set(channel, { subscription, tabs });
    subscription.subscribe();
  }

  private leave(tab: Tab, channel: string): void {
    const known = this.channels.get(channel);
    if (known?.tabs.delete(tab) && known.tabs.size === 0) {
      this.channels.delete(channel);
      this.client.removeSubscription(known.subscription);
    }
  }
}
