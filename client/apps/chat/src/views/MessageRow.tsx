/** One message: who, when, what – in the reader's language, with the original one tap away. */

import { memo } from "preact/compat";
import { useRef, useState } from "preact/hooks";

import { locale, t } from "../i18n/bundles";
import { fullTimeOf, listOf, sizeOf, timeOf } from "../i18n/dates";
import { keyOf } from "../room/groups";
import type { Pending } from "../room/sending";
import type { Room } from "../state/room";
import { attachedTo, chain, isForeign } from "../state/translations";
import { textLanguageName } from "../text/languages";
import { isWebAddress, plainText } from "../text/parse";
import type { Message } from "../wire";
import { useChat } from "./context";
import { Icon } from "./icons";
import { LanguageSelect, mayCorrect } from "./LanguageSelect";
import { MessageTools } from "./MessageTools";
import { MessageText } from "./MessageText";
import { Avatar, Foreign, Name } from "./parts";
import { PersonMenu } from "./PersonMenu";
import { useTranslation, type Translated } from "./useTranslation";

export interface RowProps {
  room: Room;
  message: Message;
  isFirst: boolean;
  isActive: boolean;
  isMarked: boolean;
  nicks: ReadonlySet<string>;
  /** Of what is not kept yet. */
  pending?: Pending | undefined;
}

export const MessageRow = memo(function MessageRow(props: RowProps) {
  const { room, message, isFirst, isActive, isMarked, nicks, pending } = props;
  const chat = useChat();
  const me = chat.me.value;
  const row = useRef<HTMLLIElement>(null);
  const [isOriginal, setOriginal] = useState(false);
  const [isPersonOpen, setPersonOpen] = useState(false);
  const translated = useTranslation(message, row);
  const isTranslated = translated.state === "done" && !isOriginal;
  const text = isTranslated ? translated.text : message.text;
  const lang = isTranslated ? me.preferred : message.lang;
  const isMeant = (message.mentions ?? []).includes(me.user);
  const time = <time dateTime={new Date(message.ts).toISOString()} title={fullTimeOf(message.ts)}>{timeOf(message.ts)}</time>;
  const classes = [
    "message",
    isFirst ? "is-first" : "",
    `is-${message.kind}`,
    isMeant ? "is-meant" : "",
    isMarked ? "is-marked" : "",
    pending === undefined ? "" : `is-${pending.state}`,
  ];
  return (
    <li ref={row} class={classes.join(" ")} data-id={message.id} data-key={keyOf(message)} tabIndex={isActive ? 0 : -1}>
      <div class="message-side">{isFirst && message.kind === "text" ? <Avatar user={message.user} nick={message.nick} /> : <span class="side-time">{time}</span>}</div>
      <div class="message-body">
        {message.replyTo && <ReplyTo room={room} id={message.replyTo} />}
        {isFirst && message.kind === "text" && (
          <header class="message-head">
            <button type="button" class="author" aria-haspopup="menu" aria-expanded={isPersonOpen} tabIndex={isActive ? 0 : -1} onClick={() => setPersonOpen(!isPersonOpen)}>
              <Name nick={message.via?.name ?? message.nick} user={message.user} />
            </button>
            {message.via && <span class="via">{t("via", { bridge: message.via.bridge })}</span>}
            {time}
            {isPersonOpen && <PersonMenu user={message.user} nick={message.nick} onClose={() => setPersonOpen(false)} />}
          </header>
        )}
        {message.deleted ? (
          <p class="deleted">{t("deleted")}</p>
        ) : (
          <Foreign class="text" lang={lang}>
            {message.kind === "action" && (
              <span class="actor">
                <Name nick={message.nick} user={message.user} />{" "}
              </span>
            )}
            <MessageText text={text} nicks={nicks} mine={me.nick.toLocaleLowerCase()} />
          </Foreign>
        )}
        {message.edited && !message.deleted ? <span class="edited" title={fullTimeOf(message.edited)}>{t("edited")}</span> : null}
        <Files message={message} />
        {!message.deleted && <TranslationLine room={room} message={message} translated={translated} isOriginal={isOriginal} isActive={isActive} onToggle={() => setOriginal(!isOriginal)} />}
        <Reactions room={room} message={message} />
        {pending !== undefined && <PendingLine pending={pending} />}
      </div>
      {isActive && pending === undefined && !message.deleted && <MessageTools room={room} message={message} />}
    </li>
  );
});

function TranslationLine(props: {
  room: Room;
  message: Message;
  translated: Translated;
  isOriginal: boolean;
  isActive: boolean;
  onToggle: () => void;
}) {
  const { room, message, translated, isOriginal, onToggle } = props;
  const chat = useChat();
  if (translated.state === "none") {
    return null;
  }
  const language = textLanguageName(message.lang, locale.value);
  return (
    <div class={`translation is-${translated.state}`}>
      <Icon name="translate" />
      {translated.state === "working" && <span>{t("translating", { language })}</span>}
      {translated.state === "failed" && (
        <>
          <span>{t("not-translated", { language })}</span>
          <button type="button" class="link" onClick={translated.retry}>
            {t("try-again")}
          </button>
        </>
      )}
      {translated.state === "done" && (
        <>
          <span>{t(isOriginal ? "original-in" : "translated-from", { language })}</span>
          <button type="button" class="link toggle-original" onClick={onToggle}>
            {t(isOriginal ? "show-translation" : "show-original")}
          </button>
        </>
      )}
      {translated.state !== "working" && mayCorrect(chat, message) && <LanguageSelect room={room} message={message} label={t("wrong-language", { language })} />}
    </div>
  );
}

function ReplyTo({ room, id }: { room: Room; id: string }) {
  const chat = useChat();
  const me = chat.me.value;
  const target = room.message(id);
  const foreign = target !== undefined && isForeign(target, me);
  const known = foreign
    ? (attachedTo(target, me.preferred) ?? chain.recall({ text: target.text, source: target.lang, target: me.preferred }))
    : undefined;
  return (
    <button type="button" class="reply-to" onClick={() => void room.jump(id).catch(() => {})}>
      <Icon name="reply" />
      {target === undefined ? (
        t("earlier-message")
      ) : (
        <>
          <Name nick={target.nick} user={target.user} />
          <bdi class="reply-text" lang={known === undefined ? target.lang : me.preferred}>
            {target.deleted ? t("deleted") : plainText(known?.text ?? target.text)}
          </bdi>
        </>
      )}
    </button>
  );
}

function Files({ message }: { message: Message }) {
  return (
    <>
      {message.files?.map((file) => (
        <a key={file.url} class="file" href={isWebAddress(file.url) ? file.url : "#"} title={file.url} target="_blank" rel="noopener noreferrer nofollow ugc">
          <Icon name="file" />
          <bdi>{file.name}</bdi>
          {file.size ? <span class="quiet">{sizeOf(file.size)}</span> : null}
        </a>
      ))}
    </>
  );
}

function Reactions({ room, message }: { room: Room; message: Message }) {
  const chat = useChat();
  const me = chat.me.value.user;
  const reactions = Object.entries(message.reactions ?? {}).filter(([, users]) => users.length > 0);
  return reactions.length === 0 ? null : (
    <ul class="reactions" role="list" aria-label={t("reactions")}>
      {reactions.map(([emoji, users]) => {
        const isMine = users.includes(me);
        const names = listOf(users.map((user) => (user === me ? t("you") : (room.nicks.value.get(user) ?? "…"))));
        return (
          <li key={emoji}>
            <button
              type="button"
              class="reaction"
              aria-pressed={isMine}
              title={names}
              onClick={() => void chat.ask("react", { room: room.id, id: message.id, emoji, on: !isMine })}
            >
              <span>{emoji}</span>
              <span class="reaction-count">{users.length}</span>
              <span class="unseen">{t("from-names", { names })}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function PendingLine({ pending }: { pending: Pending }) {
  const chat = useChat();
  const { state, reason, said } = pending;
  const isOffline = chat.connection.status.value !== "connected";
  return state === "sending" ? (
    <span class="sending">{t(isOffline ? "waits-for-connection" : "sending")}</span>
  ) : (
    <div class="failed" role="alert">
      <Icon name="warning" />
      <span>{t("not-sent", { reason: reason ?? "" })}</span>
      <button type="button" class="link" onClick={() => chat.retry(said.nonce)}>
        {t("try-again")}
      </button>
      <button type="button" class="link" onClick={() => chat.discard(said.nonce)}>
        {t("discard")}
      </button>
    </div>
  );
}
