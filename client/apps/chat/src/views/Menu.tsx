/** A menu that opens beside its button: arrow keys, Home, End, Esc; the focus goes back where it was. */

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { Icon, type IconName } from "./icons";

export interface MenuEntry {
  label: string;
  icon?: IconName;
  isDangerous?: boolean;
  onSelect: () => void;
}

export function Menu(props: {
  label: string;
  entries: readonly MenuEntry[];
  onClose: () => void;
  children?: ComponentChildren;
  class?: string;
}) {
  const menu = useRef<HTMLDivElement>(null);
  const { onClose } = props;
  useLayoutEffect(() => {
    if (menu.current !== null && opensUp(menu.current)) {
      menu.current.dataset["side"] = "up";
    }
  }, []);
  useEffect(() => {
    const before = document.activeElement;
    const isOut = (event: Event) => {
      if (!menu.current?.parentElement?.contains(event.target as Node)) {
        onClose();
      }
    };
    items(menu.current)[0]?.focus();
    addEventListener("pointerdown", isOut);
    return () => {
      removeEventListener("pointerdown", isOut);
      // Unless what was chosen has put the focus elsewhere.
      if (before instanceof HTMLElement && (document.activeElement === document.body || menu.current?.contains(document.activeElement))) {
        before.focus();
      }
    };
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    const all = items(menu.current);
    const at = all.indexOf(document.activeElement as HTMLElement);
    const go = (to: number) => all.at(to % all.length)?.focus();
    switch (event.key) {
      case "ArrowDown":
      case "ArrowRight":
        go(at + 1);
        break;
      case "ArrowUp":
      case "ArrowLeft":
        go(at - 1);
        break;
      case "Home":
        go(0);
        break;
      case "End":
        go(-1);
        break;
      case "Escape":
      case "Tab":
        onClose();
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div ref={menu} class={`menu ${props.class ?? ""}`} role="menu" aria-label={props.label} onKeyDown={onKeyDown}>
      {props.children}
      {props.entries.map((entry) => (
        <button
          key={entry.label}
          type="button"
          role="menuitem"
          tabIndex={-1}
          class={`menu-item ${entry.isDangerous ? "is-dangerous" : ""}`}
          onClick={() => {
            onClose();
            entry.onSelect();
          }}
        >
          {entry.icon && <Icon name={entry.icon} />}
          {entry.label}
        </button>
      ))}
    </div>
  );
}

/** Whether there is too little room below it, and more above. */
function opensUp(menu: HTMLElement): boolean {
  const box = menu.closest(".timeline, .panel-scroll")?.getBoundingClientRect();
  const { top, bottom, height } = menu.getBoundingClientRect();
  const place = (menu.offsetParent ?? menu).getBoundingClientRect();
  const below = Math.min(box?.bottom ?? innerHeight, innerHeight) - bottom;
  const above = Math.min(place.top, top) - height - Math.max(box?.top ?? 0, 0);
  return below < 0 && above > below;
}

function items(menu: HTMLElement | null): HTMLElement[] {
  return [...(menu?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
}
