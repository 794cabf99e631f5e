/** The whole page of somebody who is signed in: rooms beside, a room in the middle, people or search at the end. */

import { useEffect } from "preact/hooks";

import { t } from "../i18n/bundles";
import { roomInAddress } from "../io/address";
import { areMembersShown } from "../io/preferences";
import type { Chat } from "../state/chat";
import { announce, announcements, dismiss, notices } from "../state/notices";
import { attachedTo, chain, isForeign } from "../state/translations";
import { dialog, focusComposer, isDrawerOpen, panel } from "../state/ui";
import { plainText } from "../text/parse";
import type { Message } from "../wire";
import { isComposing } from "./composing";
import { ChatContext } from "./context";
import { Dialogs } from "./dialogs";
import { Icon } from "./icons";
import { Members } from "./Members";
import { Empty, IconButton, Spinner } from "./parts";
import { RoomView } from "./RoomView";
import { Search } from "./Search";
import { Sidebar, titleOf } from "./Sidebar";

export function ChatPage({ chat }: { chat: Chat }) {
  const room = chat.current.value;
  const info = room && chat.info(room.id);
  const status = chat.connection.status.value;
  const count = chat.unread.value;
  useEffect(() => {
    const title = info === undefined ? "Hubbub" : `${titleOf(info)} – Hubbub`;
    document.title = count > 0 ? `(${count}) ${title}` : title;
  }, [info, count]);
  useEffect(() => {
    if (areMembersShown.value === "yes" && matchMedia("(min-width: 1100px)").matches) {
      panel.value = "members";
    }
    const stop = panel.subscribe((name) => {
      if (matchMedia("(min-width: 1100px)").matches && name !== "search") {
        areMembersShown.value = name === "members" ? "yes" : "no";
      }
    });
    const leave = chat.onMessage((where, message) => {
      if (where === chat.current.peek()) {
        void readAloud(chat, message);
      }
    });
    const onHash = () => {
      const id = roomInAddress();
      if (id !== "" && id !== chat.current.peek()?.id) {
        void chat.show(id);
      }
    };
    const onKeyDown = (event: KeyboardEvent) => shortcut(chat, event);
    addEventListener("hashchange", onHash);
    addEventListener("keydown", onKeyDown);
    return () => {
      stop();
      leave();
      removeEventListener("hashchange", onHash);
      removeEventListener("keydown", onKeyDown);
    };
  }, [chat]);

  return (
    <ChatContext.Provider value={chat}>
      <div class={`chat ${panel.value === undefined ? "" : "has-panel"} ${isDrawerOpen.value ? "has-drawer" : ""}`}>
        <aside class="sidebar" aria-label={t("rooms")}>
          <Sidebar />
        </aside>
        {isDrawerOpen.value && <div class="scrim" onClick={() => (isDrawerOpen.value = false)} />}
        <main class="room" aria-label={info === undefined ? t("room") : titleOf(info)}>
          {status !== "connected" && <StatusBanner chat={chat} />}
          {room !== undefined ? (
            <RoomView key={room.id} room={room} />
          ) : chat.areRoomsLoaded.value ? (
            <Empty icon="message" title={t("no-room")}>
              <p>{t("no-room-hint")}</p>
              <button type="button" class="primary" onClick={() => (dialog.value = "create")}>
                {t("create-room")}
              </button>
              <button type="button" class="plain drawer-open" onClick={() => (isDrawerOpen.value = true)}>
                {t("rooms")}
              </button>
            </Empty>
          ) : (
            <Spinner label={t("loading")} />
          )}
        </main>
        {room !== undefined && panel.value !== undefined && (
          <aside class="panel" aria-label={t(panel.value)}>
            {panel.value === "members" ? <Members key={room.id} room={room} /> : <Search room={room} />}
          </aside>
        )}
        <div class="unseen" role="log" aria-live="polite" aria-label={t("new-messages")}>
          {announcements.value.map(({ id, text }) => (
            <p key={id}>{text}</p>
          ))}
        </div>
        <Notices />
        <Dialogs />
      </div>
    </ChatContext.Provider>
  );
}

function StatusBanner({ chat }: { chat: Chat }) {
  const isEnded = chat.connection.status.value === "ended";
  // The first connection is made in a moment; nobody needs to hear of it.
  return chat.connection.epoch.value === 0 && !isEnded ? null : (
    <div class={`banner ${isEnded ? "is-error" : "is-offline"}`} role="status">
      <Icon name={isEnded ? "warning" : "offline"} />
      <span>{isEnded ? t("connection-ended", { reason: chat.connection.reason.value }) : t("offline")}</span>
      {isEnded && (
        <button type="button" class="link" onClick={() => location.reload()}>
          {t("reload")}
        </button>
      )}
    </div>
  );
}

function Notices() {
  return (
    <div class="notices" role="status">
      {notices.value.map(({ id, text, tone }) => (
        <div key={id} class={`notice is-${tone}`}>
          <span>{text}</span>
          <IconButton icon="close" label={t("close")} onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  );
}

/** Says a new message to those who do not see it, in their language if that can be had. */
async function readAloud(chat: Chat, message: Message): Promise<void> {
  const me = chat.me.peek();
  let text = message.text;
  if (isForeign(message, me)) {
    const wish = { text, source: message.lang, target: me.preferred, message: message.id };
    const attached = attachedTo(message, me.preferred);
    text = attached?.text ?? (await chain.translate(wish, new AbortController().signal).catch(() => message)).text;
  }
  announce(t("said", { nick: message.nick, text: plainText(text) }));
}

function shortcut(chat: Chat, event: KeyboardEvent): void {
  const isCommand = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  // One that Esc has just closed is still in the page, but stands in nobody's way.
  if (isComposing(event) || document.querySelector("dialog[open]") !== null) {
    return;
  }
  if (isCommand && key === "k") {
    isDrawerOpen.value = true;
    requestAnimationFrame(() => document.querySelector<HTMLElement>("#room-filter")?.focus());
  } else if (isCommand && key === "/") {
    dialog.value = "help";
  } else if (event.altKey && (key === "arrowup" || key === "arrowdown")) {
    const mine = chat.rooms.peek().filter(({ joined }) => joined);
    const at = mine.findIndex(({ id }) => id === chat.current.peek()?.id);
    const next = mine.at((at + (key === "arrowdown" ? 1 : -1)) % mine.length);
    if (next !== undefined) {
      void chat.show(next.id).then(focusComposer);
    }
  } else if (event.altKey && event.code === "KeyS") {
    panel.value = "search";
  } else if (event.altKey && event.code === "KeyM") {
    panel.value = panel.peek() === "members" ? undefined : "members";
  } else if (key === "escape" && !event.defaultPrevented) {
    if (isDrawerOpen.peek()) {
      isDrawerOpen.value = false;
    } else if (panel.peek() === "search") {
      panel.value = undefined;
    }
    focusComposer();
    return;
  } else {
    return;
  }
  event.preventDefault();
}
