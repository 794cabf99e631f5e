/** What can be done with a person: write to them, and what moderators may. */

import { t } from "../i18n/bundles";
import { confirmFirst, focusComposer } from "../state/ui";
import type { Member, Role } from "../wire";
import { useChat } from "./context";
import { Menu, type MenuEntry } from "./Menu";
import { Avatar, Languages, Name } from "./parts";

const RANKS: Record<Role, number> = { "": 0, voice: 1, moderator: 2, owner: 3 };

export const rank = (role: Role | undefined) => RANKS[role ?? ""];

export function PersonMenu({ user, nick, onClose }: { user: string; nick: string; onClose: () => void }) {
  const chat = useChat();
  const room = chat.current.value;
  const member = room?.state.value?.members.get(user);
  const isMe = user === chat.me.value.user;
  const entries: MenuEntry[] = [];
  if (!isMe) {
    entries.push({ label: t("send-direct"), icon: "message", onSelect: () => void chat.direct(user).then(focusComposer) });
  }
  if (room !== undefined) {
    entries.push({
      label: t("mention-them"),
      icon: "reply",
      onSelect: () => {
        room.draft.value = `${room.draft.value}@${nick} `;
        focusComposer();
      },
    });
    if (!isMe) {
      entries.push(...moderation(member, nick, (action, more) => void chat.ask("moderate", { room: room.id, user, action, ...more }), myRank(chat)));
    }
  }
  return (
    <Menu label={nick} entries={entries} onClose={onClose} class="person-menu">
      <div class="person-card">
        <Avatar user={user} nick={nick} />
        <div>
          <Name nick={nick} />
          {member !== undefined && <Languages langs={member.langs} />}
          {member?.role ? <span class="quiet">{t(`role-${member.role}`)}</span> : null}
        </div>
      </div>
    </Menu>
  );
}

export function myRank(chat: ReturnType<typeof useChat>): number {
  const state = chat.current.value?.state.value;
  return state?.info.kind === "direct" ? 0 : rank(state?.members.get(chat.me.value.user)?.role ?? state?.info.role);
}

function moderation(
  member: Member | undefined,
  nick: string,
  act: (action: string, more?: { seconds: number }) => void,
  mine: number,
): MenuEntry[] {
  if (mine < 2 || rank(member?.role) >= mine) {
    return [];
  }
  const isMuted = (member?.muted ?? 0) > Date.now();
  const certain = (action: string, id: string): MenuEntry => ({
    label: t(id),
    icon: "shield",
    isDangerous: true,
    onSelect: () =>
      confirmFirst({ title: t(id), text: t(`${id}-question`, { nick }), action: t(id), onConfirm: () => act(action) }),
  });
  const entries: MenuEntry[] = [];
  if (member !== undefined) {
    entries.push(
      isMuted
        ? { label: t("unmute"), icon: "shield", onSelect: () => act("unmute") }
        : { label: t("mute-a-while"), icon: "shield", onSelect: () => act("mute", { seconds: 600 }) },
      member.role === "voice"
        ? { label: t("take-voice"), icon: "shield", onSelect: () => act("devoice") }
        : { label: t("give-voice"), icon: "shield", onSelect: () => act("voice") },
    );
    if (mine >= 3) {
      entries.push(
        member.role === "moderator"
          ? { label: t("take-moderator"), icon: "shield", onSelect: () => act("member") }
          : { label: t("make-moderator"), icon: "shield", onSelect: () => act("moderator") },
      );
    }
    entries.push(certain("kick", "kick"));
  }
  entries.push(certain("ban", "ban"));
  return entries;
}
