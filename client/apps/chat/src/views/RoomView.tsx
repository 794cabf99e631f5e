/** A room: what it is called, what is said in it, where one writes. */

import { useState } from "preact/hooks";

import { t } from "../i18n/bundles";
import type { Room } from "../state/room";
import { confirmFirst, dialog, isDrawerOpen, panel } from "../state/ui";
import { useChat } from "./context";
import { Composer } from "./Composer";
import { Menu } from "./Menu";
import { Offers } from "./Offers";
import { Empty, IconButton, Languages, Spinner } from "./parts";
import { titleOf } from "./Sidebar";
import { Timeline } from "./Timeline";

export function RoomView({ room }: { room: Room }) {
  const state = room.state.value;
  return (
    <>
      <RoomHead room={room} />
      <Offers />
      {state !== undefined ? (
        <Timeline key={room.id} room={room} state={state} />
      ) : room.error.value !== "" ? (
        <Empty icon="warning" title={t("room-failed")}>
          <p>{room.error.value}</p>
          <button type="button" class="primary" onClick={() => void room.open()}>
            {t("try-again")}
          </button>
        </Empty>
      ) : (
        <div class="timeline-frame">
          <Spinner label={t("loading")} />
        </div>
      )}
      <Composer room={room} />
    </>
  );
}

function RoomHead({ room }: { room: Room }) {
  const chat = useChat();
  const [isMenuOpen, setMenuOpen] = useState(false);
  const info = room.state.value?.info ?? chat.info(room.id);
  const peer = info?.peer;
  const toggle = (name: "members" | "search") => (panel.value = panel.value === name ? undefined : name);
  return (
    <header class="room-head">
      <IconButton icon="menu" class="drawer-open" label={t("rooms")} onClick={() => (isDrawerOpen.value = true)} />
      <div class="room-title">
        <h1>
          <bdi>{info === undefined ? "…" : titleOf(info)}</bdi>
        </h1>
        {peer !== undefined ? (
          <Languages langs={peer.langs} />
        ) : (
          info?.topic && (
            <p class="topic" dir="auto" title={info.topic}>
              {info.topic}
            </p>
          )
        )}
      </div>
      <span class="spacer" />
      <IconButton icon="search" label={t("search")} isPressed={panel.value === "search"} onClick={() => toggle("search")} />
      <IconButton icon="people" label={t("members")} isPressed={panel.value === "members"} onClick={() => toggle("members")} />
      <div class="menu-place">
        <IconButton icon="more" label={t("room-menu")} isExpanded={isMenuOpen} onClick={() => setMenuOpen(!isMenuOpen)} />
        {isMenuOpen && (
          <Menu
            label={t("room-menu")}
            onClose={() => setMenuOpen(false)}
            entries={[
              { label: t("jump-to-date"), icon: "calendar", onSelect: () => (dialog.value = "date") },
              ...(info?.kind === "direct"
                ? []
                : [
                    { label: t("room-settings"), icon: "settings" as const, onSelect: () => (dialog.value = "room") },
                    {
                      label: t("leave-room"),
                      icon: "logout" as const,
                      isDangerous: true,
                      onSelect: () =>
                        confirmFirst({
                          title: t("leave-room"),
                          text: t("leave-room-question", { room: info?.name ?? "" }),
                          action: t("leave-room"),
                          onConfirm: () => void chat.leave(room.id),
                        }),
                    },
                  ]),
            ]}
          />
        )}
      </div>
    </header>
  );
}
