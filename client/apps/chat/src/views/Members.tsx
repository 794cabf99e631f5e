/** Who is in the room: what they read, and whether they are there. */

import { useState } from "preact/hooks";

import { t } from "../i18n/bundles";
import type { Room } from "../state/room";
import { panel } from "../state/ui";
import type { Member } from "../wire";
import { Icon } from "./icons";
import { Avatar, IconButton, Languages, Name } from "./parts";
import { PersonMenu, rank } from "./PersonMenu";

/** More are found by their names. */
const SHOWN = 200;

export function Members({ room }: { room: Room }) {
  const [filter, setFilter] = useState("");
  const present = room.present.value;
  const wanted = filter.trim().toLocaleLowerCase();
  const all = [...(room.state.value?.members.values() ?? [])]
    .filter(({ nick }) => nick.toLocaleLowerCase().includes(wanted))
    .sort((one, other) => rank(other.role) - rank(one.role) || one.nick.localeCompare(other.nick));
  const here = all.filter(({ user }) => present.has(user));
  const away = all.filter(({ user }) => !present.has(user));
  return (
    <div class="panel-inner">
      <header class="panel-head">
        <h2>{t("members")}</h2>
        <span class="spacer" />
        <IconButton icon="close" label={t("close")} onClick={() => (panel.value = undefined)} />
      </header>
      {(room.state.value?.members.size ?? 0) > 8 && (
        <div class="filter">
          <Icon name="search" />
          <input
            type="search"
            aria-label={t("find-member")}
            placeholder={t("find-member")}
            value={filter}
            onInput={({ currentTarget }) => setFilter(currentTarget.value)}
          />
        </div>
      )}
      <div class="panel-scroll" tabIndex={-1}>
        <People title={t("members-here", { count: here.length })} members={here} isPresent />
        <People title={t("members-away", { count: away.length })} members={away} isPresent={false} />
      </div>
    </div>
  );
}

function Standing({ member }: { member: Member }) {
  const words = [
    ...(member.role === "" ? [] : [t(`role-${member.role}`)]),
    ...((member.muted ?? 0) > Date.now() ? [t("muted")] : []),
  ];
  return words.length === 0 ? null : <span class="role">{words.join(" · ")}</span>;
}

function People({ title, members, isPresent }: { title: string; members: readonly Member[]; isPresent: boolean }) {
  const [open, setOpen] = useState<string>();
  return members.length === 0 ? null : (
    <section class={isPresent ? undefined : "is-away"}>
      <h3>{title}</h3>
      <ul class="people">
        {members.slice(0, SHOWN).map((member) => (
          <li key={member.user}>
            <button
              type="button"
              class="person"
              aria-haspopup="menu"
              aria-expanded={open === member.user}
              onClick={() => setOpen(open === member.user ? undefined : member.user)}
            >
              <Avatar user={member.user} nick={member.nick} isPresent={isPresent} />
              <span class="person-text">
                <Name nick={member.nick} />
                <Standing member={member} />
              </span>
              <Languages langs={member.langs} />
            </button>
            {open === member.user && <PersonMenu user={member.user} nick={member.nick} onClose={() => setOpen(undefined)} />}
          </li>
        ))}
      </ul>
      {members.length > SHOWN && <p class="quiet pad">{t("and-more", { count: members.length - SHOWN })}</p>}
    </section>
  );
}
