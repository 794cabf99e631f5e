/** Small parts that everything else is made of: buttons, avatars, names. */

import type { ComponentChildren } from "preact";

import { locale, t } from "../i18n/bundles";
import { direction, languageName } from "../text/languages";
import { Icon, type IconName } from "./icons";

/** A button that is an icon; its label is for the pointer that rests and for those who hear the page. */
export function IconButton(props: {
  icon: IconName;
  label: string;
  onClick: (event: MouseEvent) => void;
  isPressed?: boolean;
  isExpanded?: boolean;
  disabled?: boolean;
  class?: string;
}) {
  return (
    <button
      type="button"
      class={`icon-button ${props.class ?? ""}`}
      aria-label={props.label}
      title={props.label}
      aria-pressed={props.isPressed}
      aria-expanded={props.isExpanded}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
    </button>
  );
}

/** The first letter of a name on a colour that is always the same for the same person. */
export function Avatar({ user, nick, isPresent }: { user: string; nick: string; isPresent?: boolean }) {
  return (
    <span class={`avatar hue-${hue(user)}`} aria-hidden="true">
      {[...nick][0]?.toLocaleUpperCase() ?? "?"}
      {isPresent !== undefined && <span class={`presence ${isPresent ? "is-present" : ""}`} />}
    </span>
  );
}

export function hue(user: string): number {
  let sum = 0;
  for (const character of user) {
    sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 997;
  }
  return sum % 8;
}

/** A name that others have chosen: isolated, so that it cannot turn what stands beside it. */
export function Name({ nick, user }: { nick: string; user?: string }) {
  return <bdi class={`name ${user === undefined ? "" : `ink-${hue(user)}`}`}>{nick || t("gone")}</bdi>;
}

/** The languages somebody understands, as short marks. */
export function Languages({ langs }: { langs: readonly string[] }) {
  return (
    <span class="languages">
      {langs.slice(0, 4).map((tag) => (
        <abbr key={tag} class="language" title={languageName(tag, locale.value)}>
          {tag}
        </abbr>
      ))}
    </span>
  );
}

/** A number of what is new, said in words to those who hear the page. */
export function Count({ count, isMention }: { count: number; isMention: boolean }) {
  return count === 0 ? null : (
    <span class={`count ${isMention ? "is-mention" : ""}`}>
      <span aria-hidden="true">{count > 99 ? "99+" : count}</span>
      <span class="unseen">{t(isMention ? "mention-count" : "unread-count", { count })}</span>
    </span>
  );
}

/** A text of somebody's with its language and its way of running. */
export function Foreign({ lang, children, class: name }: { lang?: string | undefined; children: ComponentChildren; class?: string }) {
  const isKnown = lang !== undefined && lang !== "und";
  return (
    <div class={name} lang={isKnown ? lang : undefined} dir={direction(lang ?? "und")}>
      {children}
    </div>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Spinner({ label }: { label: string }) {
  return (
    <p class="spinner" role="status">
      <span class="spinner-dot" aria-hidden="true" />
      {label}
    </p>
  );
}
