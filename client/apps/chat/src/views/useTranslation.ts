/** A message's translation, asked for as long as the message is on the screen. */

import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

import { attachedTo, chain, downloads, isForeign } from "../state/translations";
import type { Message } from "../wire";
import { useChat } from "./context";

export type Translated =
  | { state: "none" }
  | { state: "working" }
  | { state: "done"; text: string; engine: string }
  | { state: "failed"; retry: () => void };

export function useTranslation(message: Message, element: RefObject<HTMLElement | null>): Translated {
  const chat = useChat();
  const me = chat.me.value;
  const isNeeded = isForeign(message, me);
  const isVisible = useVisible(element, isNeeded);
  const [attempt, setAttempt] = useState(0);
  const [found, setFound] = useState<Translated>({ state: "none" });
  const { text, lang, id } = message;
  const target = me.preferred;
  const attached = isNeeded ? attachedTo(message, target) : undefined;
  // A new connection or a new model is a reason to try again; what is known already is not asked for again.
  const occasion = chat.connection.epoch.value + downloads.value * 1000;
  useEffect(() => {
    if (!isNeeded || attached !== undefined) {
      setFound({ state: "none" });
      return;
    }
    const wish = { text, source: lang, target, ...(message.seq > 0 ? { message: id } : {}) };
    const known = chain.recall(wish);
    if (known !== undefined) {
      setFound({ state: "done", ...known });
      return;
    }
    if (!isVisible) {
      return;
    }
    const leaving = new AbortController();
    setFound({ state: "working" });
    chain.translate(wish, leaving.signal).then(
      (done) => setFound({ state: "done", ...done }),
      () => {
        if (!leaving.signal.aborted) {
          setFound({ state: "failed", retry: () => setAttempt((before) => before + 1) });
        }
      },
    );
    return () => leaving.abort();
  }, [text, lang, target, isNeeded, attached === undefined, isVisible, attempt, occasion]);
  return attached === undefined ? found : { state: "done", text: attached.text, engine: attached.engine };
}

let observer: IntersectionObserver | undefined;
const watched = new WeakMap<Element, (isVisible: boolean) => void>();

/** Whether an element is on the screen, or nearly. */
function useVisible(element: RefObject<HTMLElement | null>, isWanted: boolean): boolean {
  const [isVisible, setVisible] = useState(false);
  useEffect(() => {
    const target = element.current;
    if (!isWanted || target === null) {
      return;
    }
    observer ??= new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          watched.get(entry.target)?.(entry.isIntersecting);
        }
      },
      { rootMargin: "150px 0px" },
    );
    const watcher = observer;
    watched.set(target, setVisible);
    watcher.observe(target);
    return () => watcher.unobserve(target);
  }, [isWanted]);
  return isVisible;
}
