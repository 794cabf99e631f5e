/** Finds what was said: words, and `from:` `in:` `lang:` `before:`. A result leads to its place in the history. */

import { useEffect, useRef, useState } from "preact/hooks";

import { t } from "../i18n/bundles";
import { dateOf } from "../i18n/dates";
import { reasonOf } from "../i18n/refusals";
import type { Room } from "../state/room";
import { panel } from "../state/ui";
import { plainText } from "../text/parse";
import type { Message, Page } from "../wire";
import { useChat } from "./context";
import { Icon } from "./icons";
import { Empty, Foreign, IconButton, Name, Spinner } from "./parts";
import { titleOf } from "./Sidebar";

const PAGE = 30;

/** What is looked for, and in which room only. */
interface Wanted {
  q: string;
  room?: string;
}

type Found =
  | { state: "idle" }
  | { state: "busy" }
  | { state: "done"; wanted: Wanted; messages: readonly Message[]; next: string }
  | { state: "failed"; reason: string };

export function Search({ room }: { room: Room }) {
  const chat = useChat();
  const [query, setQuery] = useState("");
  const [isHere, setHere] = useState(false);
  const [found, setFound] = useState<Found>({ state: "idle" });
  const input = useRef<HTMLInputElement>(null);
  const last = useRef<Wanted | undefined>(undefined);
  useEffect(() => input.current?.focus(), []);

  const search = () => {
    const wanted = { q: query.trim(), ...(isHere ? { room: room.id } : {}) };
    setFound({ state: wanted.q === "" ? "idle" : "busy" });
    void ask(wanted);
  };
  const ask = async (wanted: Wanted, earlier: readonly Message[] = [], before = "") => {
    last.current = wanted;
    const answer = wanted.q === "" ? undefined : await answered(wanted, earlier, before);
    // Meanwhile something else may be looked for.
    if (answer !== undefined && last.current === wanted) {
      setFound(answer);
    }
  };
  const answered = async (wanted: Wanted, earlier: readonly Message[], before: string): Promise<Found> => {
    try {
      const page = await chat.connection.rpc<Page>("search", { ...wanted, limit: PAGE, ...(before === "" ? {} : { before }) });
      return { state: "done", wanted, messages: [...earlier, ...page.messages], next: page.more ? (page.next ?? "") : "" };
    } catch (error) {
      return { state: "failed", reason: reasonOf(error) };
    }
  };
  const go = async (message: Message) => {
    await chat.show(message.room);
    await chat.current.value?.jump(message.id).catch(() => {});
    if (matchMedia("(max-width: 860px)").matches) {
      panel.value = undefined;
    }
  };

  return (
    <div class="panel-inner">
      <header class="panel-head">
        <h2>{t("search")}</h2>
        <span class="spacer" />
        <IconButton icon="close" label={t("close")} onClick={() => (panel.value = undefined)} />
      </header>
      <form
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          search();
        }}
      >
        <div class="filter">
          <Icon name="search" />
          <input
            ref={input}
            type="search"
            dir="auto"
            aria-label={t("search-messages")}
            placeholder={t("search-messages")}
            value={query}
            onInput={({ currentTarget }) => setQuery(currentTarget.value)}
          />
        </div>
        <label class="check">
          <input type="checkbox" checked={isHere} onChange={({ currentTarget }) => setHere(currentTarget.checked)} />
          {t("search-here")}
        </label>
      </form>
      <div class="panel-scroll" aria-live="polite" aria-busy={found.state === "busy"} tabIndex={-1}>
        {found.state === "idle" && (
          <Empty icon="search" title={t("search-hint")}>
            <p>
              <code>from:ada</code> <code>lang:fr</code> <code>before:2026-01-31</code>
            </p>
          </Empty>
        )}
        {found.state === "busy" && <Spinner label={t("searching")} />}
        {found.state === "failed" && <p class="error pad">{found.reason}</p>}
        {found.state === "done" && found.messages.length === 0 && <Empty icon="search" title={t("nothing-found")} />}
        {found.state === "done" && found.messages.length > 0 && (
          <ol class="results" role="list">
            {found.messages.map((message) => {
              const info = chat.info(message.room);
              return (
                <li key={message.id}>
                  <button type="button" class="result" onClick={() => void go(message)}>
                    <span class="result-head">
                      <Name nick={message.nick} user={message.user} />
                      {info !== undefined && <bdi class="quiet">{titleOf(info)}</bdi>}
                      <span class="spacer" />
                      <time class="quiet">{dateOf(message.ts)}</time>
                    </span>
                    <Foreign class="result-text" lang={message.lang}>
                      {plainText(message.text)}
                    </Foreign>
                  </button>
                </li>
              );
            })}
          </ol>
        )}
        {found.state === "done" && found.next !== "" && (
          <button type="button" class="link pad" onClick={() => void ask(found.wanted, found.messages, found.next)}>
            {t("more-results")}
          </button>
        )}
      </div>
    </div>
  );
}
