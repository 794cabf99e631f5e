/** Which message Tab comes to, and the keys that go through them and do things with them. */

import type { RefObject } from "preact";
import { useState } from "preact/hooks";

import type { Row } from "../room/groups";
import type { Room } from "../state/room";
import { focusComposer } from "../state/ui";
import type { Message } from "../wire";
import { useChat } from "./context";
import { editIfMine, react, remove, reply } from "./MessageTools";

/** One row among all. */
interface Place {
  row: HTMLElement;
  at: number;
  count: number;
  go(to: number): void;
}

/**
 * @param list where the rows are
 * @param shown what they are
 */
export function useRows(room: Room, list: RefObject<HTMLElement | null>, shown: readonly Row[]) {
  const chat = useChat();
  const [active, setActive] = useState<string>();
  const current = shown.some(({ key }) => key === active) ? active : shown.at(-1)?.key;

  const onKeyDown = (event: KeyboardEvent) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>("[data-id]");
    if (event.key === "Escape") {
      focusComposer();
      return;
    }
    if (row === null || event.target !== row || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const message = row.dataset["id"] === undefined ? undefined : room.message(row.dataset["id"]);
    if (move(event.key, placeOf(row)) || (message !== undefined && act(event.key, message))) {
      event.preventDefault();
    }
  };
  const placeOf = (row: HTMLElement): Place => {
    const all = [...(list.current?.querySelectorAll<HTMLElement>("[data-id]") ?? [])];
    const go = (to: number) => {
      const next = all[Math.max(0, Math.min(all.length - 1, to))];
      setActive(next?.dataset["key"]);
      next?.focus();
    };
    return { row, at: all.indexOf(row), count: all.length, go };
  };
  const act = (key: string, message: Message): boolean => {
    switch (key) {
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
  const activate = (event: Event) => {
    const key = (event.target as HTMLElement).closest<HTMLElement>("[data-id]")?.dataset["key"];
    if (key !== undefined && !list.current?.querySelector("[role=menu]")) {
      setActive(key);
    }
  };
  // Only a message itself: who tabs through the links of older ones must still come to the newest.
  const onFocusIn = (event: FocusEvent) => {
    if ((event.target as HTMLElement).dataset["id"] !== undefined) {
      activate(event);
    }
  };

  return { current, pick: setActive, handlers: { onKeyDown, onFocusIn, onMouseOver: activate, onPointerDown: activate } };
}

/** Goes elsewhere, or opens what a row holds. */
function move(key: string, { row, at, count, go }: Place): boolean {
  switch (key) {
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
  return false;
}
