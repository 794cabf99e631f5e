/** Says with one choice in what language a message really is, where one may say so. */

import { locale, t } from "../i18n/bundles";
import type { Chat } from "../state/chat";
import type { Room } from "../state/room";
import { languageName, OFFERED } from "../text/languages";
import type { Message } from "../wire";
import { useChat } from "./context";
import { sortedTags } from "./LanguagePicker";
import { myRank } from "./PersonMenu";

/** Who wrote it knows best: where they have said what it is, only moderators may say otherwise. */
export function mayCorrect(chat: Chat, message: Message): boolean {
  return message.langSource !== "user" || message.user === chat.me.value.user || myRank(chat) >= 2;
}

export function LanguageSelect({ room, message, label }: { room: Room; message: Message; label: string }) {
  const chat = useChat();
  const author = room.state.value?.members.get(message.user);
  // Most likely it is one that its author understands.
  const likely = [...new Set([...(author?.langs ?? []), ...chat.me.value.langs])].filter((tag) => tag !== message.lang);
  const others = sortedTags(OFFERED.filter((tag) => tag !== message.lang && !likely.includes(tag)));
  const option = (tag: string) => (
    <option key={tag} value={tag}>
      {languageName(tag, locale.value)}
    </option>
  );
  return (
    <select
      class="link wrong-language"
      aria-label={t("correct-language")}
      value=""
      onChange={({ currentTarget }) => {
        const lang = currentTarget.value;
        currentTarget.value = "";
        void chat.ask("lang", { room: room.id, id: message.id, lang });
      }}
    >
      <option value="" disabled hidden>
        {label}
      </option>
      {likely.map(option)}
      {likely.length > 0 && <hr />}
      {others.map(option)}
      <option value="zxx">{t("no-language")}</option>
    </select>
  );
}
