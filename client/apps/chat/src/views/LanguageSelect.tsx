/** Says with one choice in what language a message really is. */

import { locale, t } from "../i18n/bundles";
import type { Room } from "../state/room";
import { languageName, OFFERED } from "../text/languages";
import type { Message } from "../wire";
import { useChat } from "./context";
import { sortedTags } from "./LanguagePicker";

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
