/** What can be done with a message: react, reply, edit, delete, correct its language. */

import { useState } from "preact/hooks";

import { locale, t } from "../i18n/bundles";
import { languageName } from "../text/languages";
import type { Chat } from "../state/chat";
import { notice } from "../state/notices";
import type { Room } from "../state/room";
import { confirmFirst, focusComposer } from "../state/ui";
import type { Message } from "../wire";
import { useChat } from "./context";
import { LanguageSelect, mayCorrect } from "./LanguageSelect";
import { Menu, type MenuEntry } from "./Menu";
import { IconButton } from "./parts";
import { myRank } from "./PersonMenu";

export const EMOJI = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀", "✅", "🔥", "👏", "🤔"];

export function MessageTools({ room, message }: { room: Room; message: Message }) {
  const chat = useChat();
  const [open, setOpen] = useState<"emoji" | "more" | undefined>();
  return (
    <div class="tools" role="group" aria-label={t("message-tools")}>
      <IconButton icon="smile" label={t("react")} isExpanded={open === "emoji"} onClick={() => setOpen(open === "emoji" ? undefined : "emoji")} />
      <IconButton icon="reply" label={t("reply")} onClick={() => reply(room, message)} />
      <IconButton icon="more" label={t("more")} isExpanded={open === "more"} onClick={() => setOpen(open === "more" ? undefined : "more")} />
      {open === "emoji" && (
        <Menu
          class="emoji-menu"
          label={t("react")}
          entries={EMOJI.map((emoji) => ({ label: emoji, onSelect: () => react(chat, room, message, emoji) }))}
          onClose={() => setOpen(undefined)}
        />
      )}
      {open === "more" && (
        <Menu label={t("more")} entries={entries(chat, room, message)} onClose={() => setOpen(undefined)}>
          {mayCorrect(chat, message) && (
            <div class="menu-extra">
              <LanguageSelect room={room} message={message} label={t("language-is", { language: languageName(message.lang, locale.value) })} />
            </div>
          )}
        </Menu>
      )}
    </div>
  );
}

function entries(chat: Chat, room: Room, message: Message): MenuEntry[] {
  const found: MenuEntry[] = [
    {
      label: t("copy-text"),
      icon: "file",
      onSelect: () => {
        copy(message.text).then(
          () => notice(t("copied")),
          () => notice(t("not-copied"), "error"),
        );
      },
    },
  ];
  if (mayEdit(chat, message)) {
    found.push({ label: t("edit"), icon: "edit", onSelect: () => edit(room, message) });
  }
  if (mayDelete(chat, message)) {
    found.push({ label: t("delete"), icon: "trash", isDangerous: true, onSelect: () => remove(chat, room, message) });
  }
  return found;
}

/** Rejects also where there is no clipboard: for pages that came without TLS. */
const copy = async (text: string) => navigator.clipboard.writeText(text);
const mayEdit = (chat: Chat, message: Message) => message.user === chat.me.value.user && !message.deleted;
const mayDelete = (chat: Chat, message: Message) => !message.deleted && (message.user === chat.me.value.user || myRank(chat) >= 2);

export function reply(room: Room, message: Message): void {
  room.editing.value = undefined;
  room.replyTo.value = message.id;
  focusComposer();
}

export function edit(room: Room, message: Message): void {
  room.replyTo.value = undefined;
  room.editing.value = message.id;
  room.draft.value = message.text;
  focusComposer();
}

export function editIfMine(chat: Chat, room: Room, message: Message): void {
  if (mayEdit(chat, message)) {
    edit(room, message);
  }
}

export function remove(chat: Chat, room: Room, message: Message): void {
  if (mayDelete(chat, message)) {
    confirmFirst({
      title: t("delete"),
      text: t("delete-question"),
      action: t("delete"),
      onConfirm: () => void chat.ask("delete", { room: room.id, id: message.id }),
    });
  }
}

export function react(chat: Chat, room: Room, message: Message, emoji: string): void {
  const isMine = (message.reactions?.[emoji] ?? []).includes(chat.me.value.user);
  void chat.ask("react", { room: room.id, id: message.id, emoji, on: !isMine });
}
