/** The list of rooms: mine, conversations of two, and those that are open. */

import { useRef, useState } from "preact/hooks";

import { t } from "../i18n/bundles";
import { dialog, focusComposer, isDrawerOpen } from "../state/ui";
import type { RoomInfo } from "../wire";
import { isComposing } from "./composing";
import { useChat } from "./context";
import { Icon, Logo, type IconName } from "./icons";
import { Avatar, Count, IconButton, Languages, Name, Spinner } from "./parts";

export function Sidebar() {
  const chat = useChat();
  const [filter, setFilter] = useState("");
  const list = useRef<HTMLElement>(null);
  const wanted = filter.trim().toLocaleLowerCase();
  const rooms = chat.rooms.value.filter((room) => titleOf(room).toLocaleLowerCase().includes(wanted));
  const mine = rooms.filter(({ joined, kind }) => joined && kind !== "direct");
  const direct = rooms.filter(({ kind }) => kind === "direct");
  const others = rooms.filter(({ joined, kind }) => !joined && kind !== "direct");
  const me = chat.me.value;

  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event) || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) {
      return;
    }
    const links = [...(list.current?.querySelectorAll<HTMLElement>("a") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links.at((at + (event.key === "ArrowDown" ? 1 : -1)) % links.length)?.focus();
    event.preventDefault();
  };

  return (
    <div class="sidebar-inner" onKeyDown={onKeyDown}>
      <header class="sidebar-head">
        <Logo />
        <span class="brand">Hubbub</span>
        <span class="spacer" />
        <IconButton icon="plus" label={t("create-room")} onClick={() => (dialog.value = "create")} />
        <IconButton icon="close" class="drawer-close" label={t("close")} onClick={() => (isDrawerOpen.value = false)} />
      </header>
      <div class="filter">
        <Icon name="search" />
        <input
          id="room-filter"
          type="search"
          aria-label={t("find-room")}
          placeholder={t("find-room")}
          value={filter}
          onInput={({ currentTarget }) => setFilter(currentTarget.value)}
          onKeyDown={(event) => {
            const first = [...mine, ...direct, ...others][0];
            if (event.key === "Enter" && !isComposing(event) && first !== undefined) {
              setFilter("");
              void chat.show(first.id).then(focusComposer);
              isDrawerOpen.value = false;
            }
          }}
        />
      </div>
      <nav ref={list} class="room-list" aria-label={t("rooms")}>
        {!chat.areRoomsLoaded.value && <Spinner label={t("loading")} />}
        <Section title={t("rooms")} rooms={mine} />
        <Section title={t("direct-messages")} rooms={direct} />
        <Section title={t("open-rooms")} rooms={others} />
        {chat.areRoomsLoaded.value && rooms.length === 0 && <p class="quiet pad">{t("no-rooms-found")}</p>}
      </nav>
      <footer class="sidebar-foot">
        <Avatar user={me.user} nick={me.nick} isPresent={chat.connection.status.value === "connected"} />
        <div class="who">
          <Name nick={me.nick} />
          <Languages langs={me.langs} />
        </div>
        <span class="spacer" />
        <IconButton icon="keyboard" class="wide-only" label={t("help")} onClick={() => (dialog.value = "help")} />
        <IconButton icon="settings" label={t("settings")} onClick={() => (dialog.value = "settings")} />
      </footer>
    </div>
  );
}

export function titleOf(room: RoomInfo): string {
  return room.kind === "direct" ? (room.peer?.nick ?? room.name) : room.name;
}

const ICONS: Record<RoomInfo["kind"], IconName> = { open: "hash", unlisted: "eyeOff", members: "lock", direct: "person" };

function Section({ title, rooms }: { title: string; rooms: readonly RoomInfo[] }) {
  const chat = useChat();
  return rooms.length === 0 ? null : (
    <section>
      <h2>{title}</h2>
      <ul>
        {rooms.map((room) => {
          const isCurrent = chat.current.value?.id === room.id;
          const unread = room.joined ? room.unread : 0;
          // Between two, all is meant for the other.
          const mentions = !room.joined ? 0 : room.kind === "direct" ? unread : room.mentions;
          return (
            <li key={room.id}>
              <a
                href={`#${encodeURIComponent(room.id)}`}
                class={`room-link ${unread > 0 ? "is-unread" : ""}`}
                aria-current={isCurrent ? "page" : undefined}
                onClick={(event) => {
                  event.preventDefault();
                  isDrawerOpen.value = false;
                  void chat.show(room.id).then(focusComposer);
                }}
              >
                {room.peer ? <Avatar user={room.peer.user} nick={room.peer.nick} /> : <Icon name={ICONS[room.kind]} />}
                <bdi class="room-name">{titleOf(room)}</bdi>
                <Count count={mentions > 0 ? mentions : unread} isMention={mentions > 0} />
              </a>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
