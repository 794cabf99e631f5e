/** The first page: who one is and what one reads. */

import { useState } from "preact/hooks";

import { locale, spoken, t } from "../i18n/bundles";
import { reasonOf } from "../i18n/refusals";
import { ApiError, guest, logIn, register } from "../io/api";
import { pageLanguage } from "../io/preferences";
import { distinct, ownName } from "../text/languages";
import type { Me, Welcome } from "../wire";
import { Field } from "./Dialog";
import { Logo } from "./icons";
import { LanguagePicker, type LanguageChoice } from "./LanguagePicker";

type Way = "guest" | "register" | "login";

export function SignIn({ welcome, onSignedIn }: { welcome: Welcome; onSignedIn: (me: Me) => void }) {
  const ways: Way[] = [...(welcome.guests !== false ? ["guest" as const] : []), ...(welcome.registration !== false ? ["register" as const] : []), "login"];
  const [way, setWay] = useState<Way>(ways[0] as Way);
  const [nick, setNick] = useState("");
  const [password, setPassword] = useState("");
  const [choice, setChoice] = useState<LanguageChoice>(firstGuess(welcome));
  const [error, setError] = useState<{ field?: string | undefined; text: string }>();
  const [isBusy, setBusy] = useState(false);
  const errorOf = (field: string) => (error?.field === field ? error.text : undefined);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (isBusy) {
      return;
    }
    setBusy(true);
    setError(undefined);
    try {
      const profile = { nick: nick.trim(), ...choice };
      onSignedIn(
        await (way === "guest" ? guest(profile) : way === "register" ? register({ ...profile, password }) : logIn(nick.trim(), password)),
      );
    } catch (problem) {
      setBusy(false);
      if (!(problem instanceof ApiError)) {
        setError({ text: t("no-connection") });
      } else if (way === "login" && problem.code === 401) {
        setError({ text: t("wrong-password") });
      } else {
        setError({ field: problem.field, text: reasonOf(problem) });
      }
    }
  };

  return (
    <main class="sign-in">
      <form class="sign-in-card" onSubmit={submit} aria-labelledby="sign-in-title">
        <Logo />
        <h1 id="sign-in-title">{t("welcome")}</h1>
        <p class="lead">{t("welcome-lead")}</p>
        <div class="segments" role="group" aria-label={t("how-to-enter")}>
          {ways.map((one) => (
            <button key={one} type="button" aria-pressed={way === one} onClick={() => setWay(one)}>
              {t(`enter-${one}`)}
            </button>
          ))}
        </div>
        <Field label={t("your-name")} error={errorOf("nick")}>
          {({ id, describedBy }) => (
            <input
              id={id}
              aria-describedby={describedBy}
              name="nick"
              dir="auto"
              required
              maxLength={32}
              autocomplete="username"
              autoFocus
              value={nick}
              onInput={({ currentTarget }) => setNick(currentTarget.value)}
            />
          )}
        </Field>
        {way !== "guest" && (
          <Field label={t("password")} hint={way === "register" ? t("password-hint") : undefined} error={errorOf("password")}>
            {({ id, describedBy }) => (
              <input
                id={id}
                aria-describedby={describedBy}
                name="password"
                type="password"
                required
                minLength={way === "register" ? 8 : 1}
                autocomplete={way === "register" ? "new-password" : "current-password"}
                value={password}
                onInput={({ currentTarget }) => setPassword(currentTarget.value)}
              />
            )}
          </Field>
        )}
        {way !== "login" && <LanguagePicker value={choice} onChange={setChoice} />}
        {error !== undefined && (error.field === undefined || (error.field !== "nick" && error.field !== "password")) && (
          <p class="error" role="alert">
            {error.text}
          </p>
        )}
        <button class="primary" type="submit" disabled={isBusy}>
          {t(isBusy ? "entering" : "enter")}
        </button>
      </form>
      <label class="page-language">
        <span>{t("page-language")}</span>
        <select value={locale.value} onChange={({ currentTarget }) => (pageLanguage.value = currentTarget.value)}>
          {spoken().map((tag) => (
            <option key={tag} value={tag} lang={tag}>
              {ownName(tag)}
            </option>
          ))}
        </select>
      </label>
    </main>
  );
}

function firstGuess({ langs = [], preferred }: Welcome): LanguageChoice {
  const guessed = distinct(langs.length > 0 ? langs : navigator.languages);
  return { langs: guessed.length > 0 ? guessed : ["en"], preferred: preferred || guessed[0] || "en" };
}
