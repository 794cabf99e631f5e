/** The messages of a room: history as one scrolls, the end kept in view, keys to go through them. */

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { t } from "../i18n/bundles";
import { dayOf } from "../i18n/dates";
import { rows } from "../room/groups";
import { preview } from "../room/sending";
import type { RoomState } from "../room/state";
import type { Room } from "../state/room";
import { focusComposer } from "../state/ui";
import type { Message } from "../wire";
import { useChat } from "./context";
import { MessageRow } from "./MessageRow";
import { editIfMine, react, remove, reply } from "./MessageTools";
import { Empty, IconButton, Spinner } from "./parts";
import { Scrolling } from "./scrolling";

/** So near an edge, more is loaded. */
const NEAR_PX = 600;

export function Timeline({ room, state }: { room: Room; state: RoomState }) {
  const chat = useChat();
  const me = chat.me.value;
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const scrolling = useRef<Scrolling | undefined>(undefined);
  const [active, setActive] = useState<string>();
  const [isAway, setAway] = useState(false);
  const last = state.messages.at(-1);
  const sending = chat.sending.value;
  const shown = useMemo(() => {
    // What is being sent stands among the others, so that it stays the same row when it has arrived.
    const mine = state.isLive ? [...sending.values()].filter(({ said }) => said.room === room.id) : [];
    return rows([...state.messages, ...mine.map((one) => preview(one, me, last?.ts))], state.lastRead, me.user);
  }, [state.messages, state.isLive, state.lastRead, sending, me]);
  const nicks = useMemo(() => new Set([...state.members.values()].map(({ nick }) => nick.toLocaleLowerCase())), [state.members]);
  const marked = room.marked.value;
  const end = room.end.value;
  const current = shown.some(({ key }) => key === active) ? active : shown.at(-1)?.key;

  const look = () => {
    const isRead = scrolling.current?.isAtEnd && state.isLive && document.visibilityState === "visible" && document.hasFocus();
    if (isRead && last !== undefined) {
      chat.read(room, last.id);
      // What comes under one's eyes is not new; a line that is there stays until one speaks or goes.
      if (state.lastRead < state.seq && !shown.some(({ kind }) => kind === "new")) {
        room.leftBehind();
      }
    }
  };
  const settled = () => {
    const isAtEnd = scrolling.current?.isAtEnd ?? true;
    setAway(!isAtEnd);
    room.isFollowed = isAtEnd;
  };
  // A page that is not filled yet has no scrolling that could ask for more: this is asked after each change, too.
  const fill = () => {
    const element = box.current as HTMLDivElement;
    if (element.scrollTop < NEAR_PX) {
      void room.loadOlder();
    }
    if (element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX) {
      void room.loadNewer();
    }
  };
  const onScroll = () => {
    scrolling.current?.scrolled();
    settled();
    fill();
    look();
  };

  useLayoutEffect(() => {
    const element = box.current as HTMLDivElement;
    const mine = new Scrolling(element);
    scrolling.current = mine;
    const firstNew = element.querySelector<HTMLElement>(".new-line");
    mine.toEnd();
    if (firstNew !== null) {
      mine.show(firstNew);
    }
    settled();
    const watcher = new ResizeObserver(() => mine.settle());
    watcher.observe(list.current as HTMLOListElement);
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      room.marked.value = undefined;
      room.isFollowed = true;
      if (mine.isAtEnd) {
        room.leftBehind();
      }
    };
  }, []);
  useLayoutEffect(() => {
    const mine = scrolling.current as Scrolling;
    mine.isLive = state.isLive;
    mine.settle();
    settled();
  }, [shown, state.isLive]);
  useEffect(() => {
    fill();
    look();
  }, [shown, state.isLive]);
  useEffect(() => {
    addEventListener("focus", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      removeEventListener("focus", look);
      document.removeEventListener("visibilitychange", look);
    };
  });
  useLayoutEffect(() => {
    const element = marked === undefined ? null : rowOf(list.current, marked.id);
    if (element !== null) {
      setActive(element.dataset["key"]);
      scrolling.current?.show(element);
      element.focus({ preventScroll: true });
      settled();
    }
  }, [marked]);
  useLayoutEffect(() => {
    if (end !== undefined) {
      setActive(undefined);
      scrolling.current?.toEnd();
      settled();
    }
  }, [end]);

  const onKeyDown = (event: KeyboardEvent) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>("[data-id]");
    const message = row?.dataset["id"] === undefined ? undefined : room.message(row.dataset["id"]);
    if (event.key === "Escape") {
      focusComposer();
      return;
    }
    if (row === null || event.target !== row || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const all = [...(list.current?.querySelectorAll<HTMLElement>("[data-id]") ?? [])];
    const at = all.indexOf(row);
    const go = (to: number) => {
      const next = all[Math.max(0, Math.min(all.length - 1, to))];
      setActive(next?.dataset["key"]);
      next?.focus();
    };
    const handled = act(event, row, message, at, all.length, go);
    if (handled) {
      event.preventDefault();
    }
  };
  const act = (event: KeyboardEvent, row: HTMLElement, message: Message | undefined, at: number, count: number, go: (to: number) => void): boolean => {
    switch (event.key) {
      case "ArrowUp":
        go(at - 1);
        return true;
      case "ArrowDown":
        if (at === count - 1) {
          focusComposer();
        } else {
          go(at + 1);
        }
        return true;
      case "Home":
        go(0);
        return true;
      case "End":
        go(count - 1);
        return true;
      case "t":
        row.querySelector<HTMLElement>(".toggle-original")?.click();
        return true;
      case "ContextMenu":
      case "Enter":
        row.querySelector<HTMLElement>(".tools .icon-button:last-of-type")?.click();
        return true;
    }
    if (message === undefined) {
      return false;
    }
    switch (event.key) {
      case "r":
        reply(room, message);
        return true;
      case "e":
        editIfMine(chat, room, message);
        return true;
      case "Delete":
        remove(chat, room, message);
        return true;
      case "+":
        react(chat, room, message, "👍");
        return true;
    }
    return false;
  };
  // Only a message itself: who tabs through the links of older ones must still come to the newest.
  const onFocusIn = (event: FocusEvent) => {
    if ((event.target as HTMLElement).dataset["id"] !== undefined) {
      activate(event);
    }
  };
  const activate = (event: Event) => {
    const key = (event.target as HTMLElement).closest<HTMLElement>("[data-id]")?.dataset["key"];
    if (key !== undefined && !list.current?.querySelector("[role=menu]")) {
      setActive(key);
    }
  };

  return (
    <div class="timeline-frame">
      <div ref={box} class="timeline" onScroll={onScroll} tabIndex={-1}>
        {!state.hasOlder && <RoomStart state={state} />}
        {room.isLoadingOlder.value && <Spinner label={t("loading")} />}
        <ol
          ref={list}
          class="messages"
          role="list"
          aria-label={t("messages")}
          onKeyDown={onKeyDown}
          onMouseOver={activate}
          onFocusIn={onFocusIn}
          onPointerDown={activate}
        >
          {shown.map((row) =>
            row.kind === "day" ? (
              <li key={row.key} class="day">
                <span>{dayOf(row.ts)}</span>
              </li>
            ) : row.kind === "new" ? (
              <li key={row.key} class="new-line">
                <span>{t("new")}</span>
              </li>
            ) : (
              <MessageRow
                key={row.key}
                room={room}
                message={row.message}
                isFirst={row.isFirst}
                isActive={row.key === current}
                isMarked={row.message.id === marked?.id}
                nicks={nicks}
                pending={row.message.seq === 0 ? sending.get(row.message.nonce ?? "") : undefined}
              />
            ),
          )}
        </ol>
      </div>
      {(isAway || !state.isLive) && (
        <div class="to-latest">
          {state.missed > 0 && <span class="count">{state.missed}</span>}
          <IconButton icon="down" label={t("to-latest")} onClick={() => void room.latest()} />
        </div>
      )}
    </div>
  );
}

function RoomStart({ state }: { state: RoomState }) {
  return state.messages.length === 0 ? (
    <Empty icon="message" title={t("empty-room")}>
      <p>{t("empty-room-hint")}</p>
    </Empty>
  ) : (
    <p class="room-start">{t("room-start")}</p>
  );
}

function rowOf(list: HTMLElement | null, id: string): HTMLElement | null {
  return list?.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`) ?? null;
}
