/** The smaller dialogs: a new room, a room's settings, a date, help, and "are you sure". */

import { useState } from "preact/hooks";

import { t } from "../i18n/bundles";
import { reasonOf } from "../i18n/refusals";
import { COMMANDS } from "../room/commands";
import type { Chat } from "../state/chat";
import { notice } from "../state/notices";
import { confirmation, dialog } from "../state/ui";
import type { RoomKind } from "../wire";
import { useChat } from "./context";
import { Dialog, Field } from "./Dialog";
import { Icon } from "./icons";
import { myRank } from "./PersonMenu";
import { Settings } from "./Settings";

const close = () => (dialog.value = undefined);

export function Dialogs() {
  switch (dialog.value) {
    case "settings":
      return <Settings onClose={close} />;
    case "create":
      return <CreateRoom />;
    case "room":
      return <RoomSettings />;
    case "date":
      return <JumpToDate />;
    case "help":
      return <Help />;
    default:
      return confirmation.value === undefined ? null : <Confirm />;
  }
}

const KINDS: Exclude<RoomKind, "direct">[] = ["open", "unlisted", "members"];

function KindField({ value, onChange, disabled }: { value: RoomKind; onChange: (kind: RoomKind) => void; disabled?: boolean }) {
  return (
    <Field label={t("room-kind")} hint={t(`kind-${value}-hint`)}>
      {({ id, describedBy }) => (
        <select id={id} aria-describedby={describedBy} value={value} disabled={disabled} onChange={({ currentTarget }) => onChange(currentTarget.value as RoomKind)}>
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {t(`kind-${kind}`)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function CreateRoom() {
  const chat = useChat();
  const [name, setName] = useState("");
  const [topic, setTopic] = useState("");
  const [kind, setKind] = useState<RoomKind>("open");
  return (
    <Dialog title={t("create-room")} onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void chat.create(name.trim(), kind, topic.trim()).then((isMade) => isMade && close());
        }}
      >
        <Field label={t("room-name")}>
          {({ id }) => <input id={id} required maxLength={64} dir="auto" autocomplete="off" autoFocus value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />}
        </Field>
        <Field label={t("topic")}>
          {({ id }) => <input id={id} maxLength={500} dir="auto" autocomplete="off" value={topic} onInput={({ currentTarget }) => setTopic(currentTarget.value)} />}
        </Field>
        <KindField value={kind} onChange={setKind} />
        <div class="dialog-actions">
          <button type="button" class="plain" onClick={close}>
            {t("cancel")}
          </button>
          <button type="submit" class="primary">
            {t("create")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

const DAY_S = 86_400;
const RETENTIONS = [0, 7 * DAY_S, 30 * DAY_S, 365 * DAY_S];

function RoomSettings() {
  const chat = useChat();
  const room = chat.current.value;
  const info = room?.state.value?.info;
  const rank = myRank(chat);
  const [name, setName] = useState(info?.name ?? "");
  const [topic, setTopic] = useState(info?.topic ?? "");
  const [kind, setKind] = useState<RoomKind>(info?.kind ?? "open");
  const [retention, setRetention] = useState(info?.retention ?? 0);
  const [isModerated, setModerated] = useState(info?.moderated ?? false);
  const [invited, setInvited] = useState("");
  if (room === undefined || info === undefined) {
    return null;
  }
  const save = async () => {
    const change = {
      ...(name.trim() === info.name ? {} : { name: name.trim() }),
      ...(topic.trim() === info.topic ? {} : { topic: topic.trim() }),
      ...(kind === info.kind ? {} : { kind }),
      ...(retention === (info.retention ?? 0) ? {} : { retention }),
      ...(isModerated === (info.moderated ?? false) ? {} : { moderated: isModerated }),
    };
    if (Object.keys(change).length === 0 || (await chat.ask("rooms.settings", { room: room.id, ...change })) !== undefined) {
      close();
    }
  };
  return (
    <Dialog title={t("room-settings")} onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Field label={t("room-name")}>
          {({ id }) => <input id={id} required maxLength={64} dir="auto" disabled={rank < 3} value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />}
        </Field>
        <Field label={t("topic")}>
          {({ id }) => <input id={id} maxLength={500} dir="auto" disabled={rank < 2} value={topic} onInput={({ currentTarget }) => setTopic(currentTarget.value)} />}
        </Field>
        <KindField value={kind} onChange={setKind} disabled={rank < 3} />
        <Field label={t("retention")}>
          {({ id }) => (
            <select id={id} value={retention} disabled={rank < 3} onChange={({ currentTarget }) => setRetention(Number(currentTarget.value))}>
              {[...new Set([...RETENTIONS, retention])].map((seconds) => (
                <option key={seconds} value={seconds}>
                  {seconds === 0 ? t("keep-for-ever") : t("keep-days", { count: Math.round(seconds / DAY_S) })}
                </option>
              ))}
            </select>
          )}
        </Field>
        <label class="check">
          <input type="checkbox" checked={isModerated} disabled={rank < 3} onChange={({ currentTarget }) => setModerated(currentTarget.checked)} />
          {t("moderated")}
        </label>
        {rank >= 2 && (
          <div class="dialog-actions">
            <button type="submit" class="primary">
              {t("save")}
            </button>
          </div>
        )}
      </form>
      <form
        class="inline-form"
        onSubmit={(event) => {
          event.preventDefault();
          void invite(chat, room.id, invited).then((isDone) => isDone && setInvited(""));
        }}
      >
        <Field label={t("invite")} hint={t("invite-hint")}>
          {({ id, describedBy }) => <input id={id} aria-describedby={describedBy} dir="auto" autocomplete="off" value={invited} onInput={({ currentTarget }) => setInvited(currentTarget.value)} />}
        </Field>
        <button type="submit" class="plain" disabled={invited.trim() === ""}>
          {t("invite")}
        </button>
      </form>
      <p class="hint">{t("room-id")} <code>{room.id}</code></p>
      <div class="dialog-actions is-start">
        {(["jsonl", "html"] as const).map((format) => (
          <button key={format} type="button" class="plain" onClick={() => void saveAs(chat, room.id, format)}>
            {t(`export-${format}`)}
          </button>
        ))}
      </div>
    </Dialog>
  );
}

async function invite(chat: Chat, room: string, nick: string): Promise<boolean> {
  const user = chat.userCalled(nick);
  if (user === undefined) {
    notice(t("nobody-called", { nick }), "error");
    return false;
  }
  return (await chat.ask("rooms.invite", { room, user })) !== undefined;
}

async function saveAs(chat: Chat, room: string, format: "jsonl" | "html"): Promise<void> {
  const link = await chat.ask<{ url: string }>("export", { room, format });
  if (link !== undefined) {
    const anchor = document.createElement("a");
    anchor.href = new URL(link.url, document.baseURI).href;
    anchor.download = "";
    anchor.click();
  }
}

function JumpToDate() {
  const chat = useChat();
  // As a date field writes it, in the time zone of whoever looks.
  const today = new Date().toLocaleDateString("sv");
  const [day, setDay] = useState(today);
  return (
    <Dialog title={t("jump-to-date")} onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const at = new Date(`${day}T00:00`).getTime();
          close();
          void chat.current.value?.jumpTo(at).catch((error: unknown) => notice(reasonOf(error), "error"));
        }}
      >
        <Field label={t("date")}>
          {({ id }) => <input id={id} type="date" required max={today} autoFocus value={day} onInput={({ currentTarget }) => setDay(currentTarget.value)} />}
        </Field>
        <div class="dialog-actions">
          <button type="submit" class="primary">
            {t("jump")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

const KEYS: [string, string[]][] = [
  ["key-find-room", ["Ctrl", "K"]],
  ["key-next-room", ["Alt", "↑"]],
  ["key-search", ["Alt", "S"]],
  ["key-members", ["Alt", "M"]],
  ["key-newline", ["Shift", "Enter"]],
  ["key-edit-last", ["↑"]],
  ["key-messages", ["↑"]],
  ["key-translation", ["T"]],
  ["key-reply", ["R"]],
  ["key-edit", ["E"]],
  ["key-delete", ["Delete"]],
  ["key-like", ["+"]],
  ["key-more", ["Enter"]],
  ["key-back", ["Esc"]],
  ["key-help", ["Ctrl", "/"]],
];

function Help() {
  return (
    <Dialog title={t("help")} onClose={close} class="is-wide">
      <div class="help">
        <section>
          <h3>{t("commands")}</h3>
          <dl>
            {COMMANDS.map((name) => (
              <div key={name}>
                <dt>
                  <code dir="ltr">
                    /{name} {t(`usage-${name}`)}
                  </code>
                </dt>
                <dd>{t(`command-${name}`)}</dd>
              </div>
            ))}
          </dl>
        </section>
        <section>
          <h3>{t("keys")}</h3>
          <dl>
            {KEYS.map(([id, keys]) => (
              <div key={id}>
                <dt dir="ltr">
                  {keys.map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </dt>
                <dd>{t(id)}</dd>
              </div>
            ))}
          </dl>
          <h3>{t("formatting")}</h3>
          <p class="formatting" dir="ltr">
            <code>**strong**</code> <code>*emphasis*</code> <code>~~struck~~</code> <code>`code`</code> <code>```</code> <code>&gt; quote</code>{" "}
            <code>[label](https://…)</code>
          </p>
        </section>
      </div>
    </Dialog>
  );
}

function Confirm() {
  const wanted = confirmation.value;
  const done = () => (confirmation.value = undefined);
  return wanted === undefined ? null : (
    <Dialog title={wanted.title} onClose={done} class="is-narrow">
      <p class="confirm-text">
        <Icon name="warning" /> {wanted.text}
      </p>
      <div class="dialog-actions">
        <button type="button" class="plain" onClick={done}>
          {t("cancel")}
        </button>
        <button
          type="button"
          class="primary is-dangerous"
          onClick={() => {
            done();
            wanted.onConfirm();
          }}
        >
          {wanted.action}
        </button>
      </div>
    </Dialog>
  );
}
