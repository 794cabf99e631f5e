/** What one may set about oneself and about the page. */

import { useState } from "preact/hooks";

import { locale, spoken, t } from "../i18n/bundles";
import { pageLanguage, theme, type Theme } from "../io/preferences";
import { notice } from "../state/notices";
import { confirmFirst, dialog } from "../state/ui";
import { ownName } from "../text/languages";
import type { Me } from "../wire";
import { useChat } from "./context";
import { Dialog, Field } from "./Dialog";
import { Icon } from "./icons";
import { LanguagePicker } from "./LanguagePicker";
import { useSession } from "./session";

const THEMES: Theme[] = ["auto", "light", "dark"];

export function Settings({ onClose }: { onClose: () => void }) {
  const chat = useChat();
  const session = useSession();
  const me = chat.me.value;
  const [nick, setNick] = useState(me.nick);
  const [choice, setChoice] = useState({ langs: me.langs, preferred: me.preferred });
  const [oldPassword, setOldPassword] = useState("");
  const [password, setPassword] = useState("");

  const save = async () => {
    const change = {
      ...(nick.trim() === me.nick ? {} : { nick: nick.trim() }),
      ...(choice.preferred === me.preferred && choice.langs.join() === me.langs.join() ? {} : choice),
      ...(password === "" ? {} : { password, oldPassword }),
    };
    if (Object.keys(change).length > 0) {
      const changed = await chat.ask<Me>("me.set", change);
      if (changed === undefined) {
        return;
      }
      chat.me.value = { ...me, ...changed };
      notice(t("saved"));
    }
    onClose();
  };
  const erase = () => {
    onClose();
    confirmFirst({
      title: t("erase-me"),
      text: t("erase-me-question"),
      action: t("erase-me"),
      onConfirm: () => {
        void chat.ask("me.erase", { password: oldPassword }).then((done) => (done === undefined ? undefined : session.leave()));
      },
    });
  };

  return (
    <Dialog title={t("settings")} onClose={onClose} class="is-wide">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <div class="columns">
          <section>
            <h3>{t("profile")}</h3>
            <Field label={t("your-name")}>
              {({ id }) => <input id={id} required maxLength={32} dir="auto" autocomplete="username" value={nick} onInput={({ currentTarget }) => setNick(currentTarget.value)} />}
            </Field>
            {!me.guest && (
              <details>
                <summary>{t("change-password")}</summary>
                <Field label={t("old-password")}>
                  {({ id }) => <input id={id} type="password" autocomplete="current-password" value={oldPassword} onInput={({ currentTarget }) => setOldPassword(currentTarget.value)} />}
                </Field>
                <Field label={t("new-password")} hint={t("password-hint")}>
                  {({ id, describedBy }) => (
                    <input id={id} aria-describedby={describedBy} type="password" minLength={8} autocomplete="new-password" value={password} onInput={({ currentTarget }) => setPassword(currentTarget.value)} />
                  )}
                </Field>
              </details>
            )}
            <h3>{t("appearance")}</h3>
            <div class="field">
              <span id="theme-label">{t("theme")}</span>
              <div class="segments" role="group" aria-labelledby="theme-label">
                {THEMES.map((one) => (
                  <button key={one} type="button" aria-pressed={theme.value === one} onClick={() => (theme.value = one)}>
                    {t(`theme-${one}`)}
                  </button>
                ))}
              </div>
            </div>
            <Field label={t("page-language")}>
              {({ id }) => (
                <select id={id} value={locale.value} onChange={({ currentTarget }) => (pageLanguage.value = currentTarget.value)}>
                  {spoken().map((tag) => (
                    <option key={tag} value={tag} lang={tag}>
                      {ownName(tag)}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          </section>
          <section>
            <h3>{t("languages")}</h3>
            <LanguagePicker value={choice} onChange={setChoice} />
          </section>
        </div>
        <div class="dialog-actions">
          <button type="button" class="plain" onClick={() => void session.leave()}>
            <Icon name="logout" />
            {t("sign-out")}
          </button>
          <button type="button" class="plain is-dangerous" onClick={erase}>
            {t("erase-me")}
          </button>
          <span class="spacer" />
          <button type="button" class="plain" onClick={() => (dialog.value = undefined)}>
            {t("cancel")}
          </button>
          <button type="submit" class="primary">
            {t("save")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
