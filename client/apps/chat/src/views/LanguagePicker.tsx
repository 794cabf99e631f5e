/** The languages somebody understands, in order, and the one they prefer to read. */

import { locale, t } from "../i18n/bundles";
import { bothNames, canonical, languageName, OFFERED, ownName, withPreferred } from "../text/languages";
import { Field } from "./Dialog";
import { IconButton } from "./parts";

export interface LanguageChoice {
  langs: string[];
  preferred: string;
}

export function LanguagePicker({ value, onChange }: { value: LanguageChoice; onChange: (value: LanguageChoice) => void }) {
  const { langs, preferred } = value;
  const name = (tag: string) => bothNames(tag, locale.value);
  const sorted = sortedTags(new Set([...OFFERED, ...langs, preferred]));
  const move = (at: number, by: number) => {
    const next = [...langs];
    const [moved] = next.splice(at, 1);
    next.splice(at + by, 0, moved as string);
    onChange({ langs: next, preferred });
  };
  return (
    <div class="language-picker">
      <Field label={t("preferred-language")} hint={t("preferred-language-hint")}>
        {({ id, describedBy }) => (
          <select
            id={id}
            aria-describedby={describedBy}
            value={preferred}
            onChange={({ currentTarget }) =>
              onChange({ langs: withPreferred(langs, currentTarget.value), preferred: currentTarget.value })
            }
          >
            {sorted.map((tag) => (
              <option key={tag} value={tag} lang={tag}>
                {name(tag)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <fieldset class="field">
        <legend>{t("understood-languages")}</legend>
        <p class="hint">{t("understood-languages-hint")}</p>
        <ul class="language-list">
          {langs.map((tag, at) => (
            <li key={tag}>
              <bdi lang={tag}>{ownName(tag)}</bdi>
              <span class="quiet">{tag}</span>
              <span class="spacer" />
              <IconButton icon="up" label={t("move-up", { language: languageName(tag, locale.value) })} disabled={at === 0} onClick={() => move(at, -1)} />
              <IconButton
                icon="close"
                label={t("remove-language", { language: languageName(tag, locale.value) })}
                disabled={tag === preferred}
                onClick={() => onChange({ langs: langs.filter((one) => one !== tag), preferred })}
              />
            </li>
          ))}
        </ul>
        <select
          aria-label={t("add-language")}
          value=""
          onChange={({ currentTarget }) => {
            const tag = canonical(currentTarget.value);
            currentTarget.value = "";
            if (tag !== undefined && !langs.includes(tag)) {
              onChange({ langs: [...langs, tag], preferred });
            }
          }}
        >
          <option value="">{t("add-language")}</option>
          {sorted
            .filter((tag) => !langs.includes(tag))
            .map((tag) => (
              <option key={tag} value={tag} lang={tag}>
                {name(tag)}
              </option>
            ))}
        </select>
      </fieldset>
    </div>
  );
}

/** By their names in the language of the page. */
export function sortedTags(tags: Iterable<string>): string[] {
  const collator = new Intl.Collator(locale.value);
  return [...tags].sort((one, other) => collator.compare(languageName(one, locale.value), languageName(other, locale.value)));
}
