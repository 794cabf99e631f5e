/** Where one writes: messages, commands, answers and corrections; completes nicks. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { locale, t } from "../i18n/bundles";
import { listOf } from "../i18n/dates";
import { command } from "../room/commands";
import { complete, completion, type Completion } from "../room/completion";
import { lastOf } from "../room/state";
import { execute } from "../state/execute";
import type { Room } from "../state/room";
import { writingIn } from "../state/ui";
import { languageName } from "../text/languages";
import { plainText } from "../text/parse";
import { isComposing } from "./composing";
import { useChat } from "./context";
import { Icon } from "./icons";
import { edit } from "./MessageTools";
import { IconButton, Name } from "./parts";

const TYPING_EVERY_MS = 3_000;
const LIMIT = 4000;
const LINES_PX = 200;

export function Composer({ room }: { room: Room }) {
  const chat = useChat();
  const box = useRef<HTMLTextAreaElement>(null);
  const lastTyping = useRef(0);
  const [offered, setOffered] = useState<Completion>();
  const [picked, setPicked] = useState(0);
  const draft = room.draft.value;
  const editing = room.editing.value === undefined ? undefined : room.message(room.editing.value);
  const replied = room.replyTo.value === undefined ? undefined : room.message(room.replyTo.value);

  useLayoutEffect(() => {
    const element = box.current as HTMLTextAreaElement;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, LINES_PX)}px`;
  }, [draft]);
  useEffect(() => {
    // On a phone, the keyboard would cover what one came to read.
    if (matchMedia("(pointer: fine)").matches) {
      box.current?.focus();
    }
  }, [room]);

  const typing = (on: boolean) => {
    const now = Date.now();
    if (on && now - lastTyping.current < TYPING_EVERY_MS) {
      return;
    }
    if (on || lastTyping.current > 0) {
      lastTyping.current = on ? now : 0;
      // Nobody misses one that is lost.
      chat.connection.rpc("typing", { room: room.id, on }).catch(() => {});
    }
  };
  const offer = (text: string, cursor: number) => {
    const speakers = [...(room.state.value?.messages ?? [])].reverse().map(({ user, nick }) => ({ user, nick }));
    const members = [...(room.state.value?.members.values() ?? [])];
    const people = new Map([...speakers, ...members].map((one) => [one.user, one]));
    people.delete(chat.me.value.user);
    setOffered(completion(text, cursor, people.values()));
    setPicked(0);
  };
  const onInput = (element: HTMLTextAreaElement) => {
    room.draft.value = element.value;
    offer(element.value, element.selectionStart);
    typing(element.value.trim() !== "" && !element.value.startsWith("/") && editing === undefined);
  };
  const choose = (at: number) => {
    const element = box.current as HTMLTextAreaElement;
    const choice = offered?.choices[at];
    if (offered === undefined || choice === undefined) {
      return;
    }
    const made = complete(element.value, element.selectionStart, offered.from, choice.insert);
    room.draft.value = made.text;
    element.value = made.text;
    element.setSelectionRange(made.cursor, made.cursor);
    setOffered(undefined);
    element.focus();
  };
  const stop = () => {
    if (editing !== undefined) {
      room.draft.value = "";
    }
    room.editing.value = undefined;
    room.replyTo.value = undefined;
  };
  /** A correction that was refused, unless something else is being written by now. */
  const giveBack = (id: string, text: string) => {
    if (room.draft.value === "" && room.editing.value === undefined) {
      room.editing.value = id;
      room.draft.value = text;
    }
  };
  const submit = async () => {
    const text = draft.trim();
    if (text === "" || text.length > LIMIT) {
      return;
    }
    setOffered(undefined);
    typing(false);
    room.draft.value = "";
    if (editing !== undefined) {
      room.editing.value = undefined;
      if (text !== editing.text && (await chat.ask("edit", { room: room.id, id: editing.id, text })) === undefined) {
        giveBack(editing.id, text);
      }
      return;
    }
    const replyTo = room.replyTo.value;
    room.replyTo.value = undefined;
    await execute(chat, room, command(text), replyTo);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) {
      return;
    }
    if (offered !== undefined) {
      const count = offered.choices.length;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        setPicked((picked + (event.key === "ArrowDown" ? 1 : count - 1)) % count);
        event.preventDefault();
        return;
      }
      const typed = draft.slice(offered.from, box.current?.selectionStart);
      const isWhole = offered.choices.some(({ insert }) => insert.trim() === typed);
      if (event.key === "Tab" || (event.key === "Enter" && !isWhole)) {
        choose(picked);
        event.preventDefault();
        return;
      }
      if (event.key === "Escape") {
        setOffered(undefined);
        event.stopPropagation();
        return;
      }
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      void submit();
    } else if (event.key === "Escape" && (editing !== undefined || replied !== undefined)) {
      stop();
      event.stopPropagation();
    } else if (event.key === "ArrowUp" && draft === "") {
      const state = room.state.value;
      const mine = state && lastOf(state, chat.me.value.user);
      if (mine !== undefined) {
        edit(room, mine);
        event.preventDefault();
      }
    }
  };

  const isOver = draft.length > LIMIT;
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
        box.current?.focus();
      }}
    >
      <Typists room={room} />
      {(editing ?? replied) !== undefined && (
        <div class="composer-context">
          <Icon name={editing === undefined ? "reply" : "edit"} />
          <span class="composer-about">
            {editing !== undefined ? t("editing") : <>{t("replying-to")} <Name nick={replied?.nick ?? ""} /></>}{" "}
            <bdi class="quiet">{plainText((editing ?? replied)?.text ?? "")}</bdi>
          </span>
          <IconButton icon="close" label={t("cancel")} onClick={stop} />
        </div>
      )}
      {offered !== undefined && (
        <ul class="completions" id="completions" role="listbox" aria-label={t("completions")}>
          {offered.choices.map((choice, at) => (
            <li
              key={choice.insert}
              id={`completion-${at}`}
              role="option"
              aria-selected={at === picked}
              onPointerDown={(event) => {
                event.preventDefault();
                choose(at);
              }}
            >
              <bdi>{choice.label}</bdi>
              {choice.user === undefined && <span class="quiet">{t(`command-${choice.label.slice(1)}`)}</span>}
            </li>
          ))}
        </ul>
      )}
      <div class={`composer-box ${isOver ? "is-over" : ""}`}>
        <textarea
          ref={box}
          id="composer"
          rows={1}
          dir="auto"
          aria-label={t("write-message")}
          placeholder={t("write-message")}
          autocomplete="off"
          aria-autocomplete="list"
          aria-controls={offered === undefined ? undefined : "completions"}
          aria-activedescendant={offered === undefined ? undefined : `completion-${picked}`}
          value={draft}
          onInput={({ currentTarget }) => onInput(currentTarget)}
          onKeyDown={onKeyDown}
          onBlur={() => setOffered(undefined)}
        />
        <select
          class="writing-in"
          aria-label={t("writing-in")}
          title={t("writing-in")}
          value={writingIn.value}
          onChange={({ currentTarget }) => (writingIn.value = currentTarget.value)}
        >
          <option value="">{t("detect")}</option>
          {[...new Set([...chat.me.value.langs, ...(writingIn.value ? [writingIn.value] : [])])].map((tag) => (
            <option key={tag} value={tag}>
              {languageName(tag, locale.value)}
            </option>
          ))}
        </select>
        <button type="submit" class="send" aria-label={t("send")} title={t("send")} disabled={draft.trim() === "" || isOver}>
          <Icon name="send" />
        </button>
      </div>
      {draft.length > LIMIT * 0.9 && (
        <p class={isOver ? "error" : "hint"} role="status">
          {t("characters-left", { count: LIMIT - draft.length })}
        </p>
      )}
    </form>
  );
}

/** Who is writing. Its place is always there, so that nothing jumps. */
function Typists({ room }: { room: Room }) {
  const chat = useChat();
  const nicks = room.typing.value
    .filter((user) => user !== chat.me.value.user)
    .map((user) => room.nicks.value.get(user))
    .filter((nick) => nick !== undefined);
  return (
    <p class="typists">
      {nicks.length > 0 && (
        <>
          <span class="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {nicks.length > 3 ? t("many-typing") : t("typing", { names: listOf(nicks), count: nicks.length })}
        </>
      )}
    </p>
  );
}
