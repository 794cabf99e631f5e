/** Language tags: who understands what, what they are called, and which way they run (BCP 47; pure). */

/** Has no words, or nobody knows whose: shown as it is. */
const WITHOUT_LANGUAGE = new Set(["und", "zxx", "mul", ""]);

/** A tag in its canonical spelling, or `undefined` for what is none. */
export function canonical(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag.trim().replaceAll("_", "-"))[0];
  } catch {
    return undefined;
  }
}

/** Language and script; the region does not decide what a person can read. */
function readable(tag: string): { language: string; script: string | undefined; likely: string | undefined } {
  const locale = new Intl.Locale(tag);
  return { language: locale.language, script: locale.script, likely: locale.maximize().script };
}

/**
 * Whether somebody who understands `langs` can read `tag` (RFC 4647 extended filtering on language and script).
 *
 * "zh" reads every Chinese; "zh-Hant" reads "zh-TW", which is written that way, but not "zh-Hans".
 */
export function understands(langs: readonly string[], tag: string): boolean {
  if (WITHOUT_LANGUAGE.has(tag)) {
    return true;
  }
  const wanted = canonical(tag);
  if (wanted === undefined) {
    return true;
  }
  const text = readable(wanted);
  return langs.some((range) => {
    if (range === "*") {
      return true;
    }
    const known = canonical(range);
    if (known === undefined) {
      return false;
    }
    const reader = readable(known);
    return (
      reader.language === text.language &&
      (reader.script === undefined || reader.script === (text.script ?? text.likely)) 
    );
  });
}

/** Without those that who understands an earlier one understands anyway: browsers say "en-US" and "en". */
export function distinct(langs: readonly string[]): string[] {
  return langs.filter((tag, at) => !understands(langs.slice(0, at), tag));
}

/** The tag that translators know: language, and script where there are two. */
export function translatable(tag: string): string {
  const known = canonical(tag);
  if (known === undefined) {
    return tag;
  }
  const { language, script, likely } = readable(known);
  if (language === "zh") {
    return (script ?? likely) === "Hant" ? "zh-Hant" : "zh";
  }
  return language;
}

const RIGHT_TO_LEFT = new Set(["Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Mand", "Rohg", "Samr"]);

/** Which way a text runs; "auto" where its language does not say. */
export function direction(tag: string): "ltr" | "rtl" | "auto" {
  const known = WITHOUT_LANGUAGE.has(tag) ? undefined : canonical(tag);
  const script = known && new Intl.Locale(known).maximize().script;
  return script === undefined ? "auto" : RIGHT_TO_LEFT.has(script) ? "rtl" : "ltr";
}

/** What a language is called, in the language of the page; the tag itself where it has no name. */
export function languageName(tag: string, inLanguage: string): string {
  try {
    return new Intl.DisplayNames([inLanguage], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** The same without the region: what a text is written in, not where. */
export function textLanguageName(tag: string, inLanguage: string): string {
  const known = canonical(tag);
  if (known === undefined) {
    return tag;
  }
  const { language, script } = readable(known);
  return languageName(script === undefined ? language : `${language}-${script}`, inLanguage);
}

/** What its own speakers call it. */
export function ownName(tag: string): string {
  const name = languageName(tag, tag);
  return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
}

/** What its own speakers and the page call it; one name where these are the same. */
export function bothNames(tag: string, inLanguage: string): string {
  const own = ownName(tag);
  const here = languageName(tag, inLanguage);
  // Small and large letters, and kinds of blanks, make no other name.
  const folded = (name: string) => name.normalize("NFKC").replace(/\s+/g, " ").trim().toLowerCase();
  return folded(own) === folded(here) ? own : `${own} – ${here}`;
}

/** Those a person is offered; any other tag can be typed with `/lang`. */
export const OFFERED = (
  "af am ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fil fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko " +
  "lo lt lv mk ml mn mr ms mt my nb ne nl nn pa pl pt pt-BR ro ru sk sl sq sr sr-Latn sv sw ta te th tr uk ur uz vi yo zh-Hans zh-Hant zu"
).split(" ");

/** Puts a language first, without having it twice. */
export function withPreferred(langs: readonly string[], preferred: string): string[] {
  return langs.includes(preferred) ? [...langs] : [preferred, ...langs];
}
