/** How a reader goes through a room: the end kept in view, more loaded near an edge, what has been seen counted as read. */

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Row } from "../room/groups";
import type { RoomState } from "../room/state";
import type { Room } from "../state/room";
import { useChat } from "./context";
import { Scrolling } from "./scrolling";

/** So near an edge, more is loaded. */
const NEAR_PX = 600;

/**
 * @param list what lies in the box that is scrolled
 * @param shown its rows
 * @param pick hears which row is looked at now: one that was asked for, or none in particular
 */
export function useReading(room: Room, state: RoomState, list: RefObject<HTMLElement | null>, shown: readonly Row[], pick: (key: string | undefined) => void) {
  const chat = useChat();
  const box = useRef<HTMLDivElement>(null);
  const scrolling = useRef<Scrolling | undefined>(undefined);
  const [isAway, setAway] = useState(false);
  const last = state.messages.at(-1);
  const marked = room.marked.value;
  const end = room.end.value;
  const unread = chat.info(room.id)?.unread;

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
    watcher.observe(list.current as HTMLElement);
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
  useEffect(fill, [shown, state.isLive]);
  // A list of rooms that is older than what was read counts it once more.
  useEffect(look, [shown, state.isLive, unread]);
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
      pick(element.dataset["key"]);
      scrolling.current?.show(element);
      element.focus({ preventScroll: true });
      settled();
    }
  }, [marked]);
  useLayoutEffect(() => {
    if (end !== undefined) {
      pick(undefined);
      scrolling.current?.toEnd();
      settled();
    }
  }, [end]);

  return { box, isAway, onScroll };
}

function rowOf(list: HTMLElement | null, id: string): HTMLElement | null {
  return list?.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`) ?? null;
}
