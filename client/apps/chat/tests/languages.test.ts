import { expect, it } from "vitest";

import { bothNames, canonical, direction, distinct, languageName, OFFERED, ownName, textLanguageName, translatable, understands } from "../src/text/languages";

it.each([
  [["en"], "en-GB", true],
  [["en-GB"], "en", true],
  [["en-GB"], "en-US", true],
  [["fr", "de"], "de-AT", true],
  [["fr"], "en", false],
  [[], "en", false],
  [["*"], "ja", true],
  [["zh"], "zh-Hant", true],
  [["zh-Hans"], "zh-Hant", false],
  [["zh-Hant"], "zh-TW", true],
  [["zh-Hans"], "zh-TW", false],
  [["zh-Hans"], "zh", true],
  [["sr-Latn"], "sr", false],
  [["sr"], "sr-Latn", true],
  [["EN"], "en", true],
  [["fr"], "und", true],
  [["fr"], "zxx", true],
  [["fr"], "not a tag", true],
  [["not a tag"], "fr", false],
  [["he"], "iw", true],
])("%j and a text in %s: %s", (langs, tag, expected) => {
  expect(understands(langs, tag)).toBe(expected);
});

it("says no language twice", () => {
  expect(distinct(["en-US", "en", "fr-CA", "fr-FR", "en-GB"])).toEqual(["en-US", "fr-CA"]);
  expect(distinct(["zh-Hans", "zh-Hant", "sr-Latn", "sr"])).toEqual(["zh-Hans", "zh-Hant", "sr-Latn", "sr"]);
  expect(distinct([])).toEqual([]);
});

it("spells tags canonically, and refuses what is none", () => {
  expect(canonical("ZH-hant-tw")).toBe("zh-Hant-TW");
  expect(canonical("pt_br")).toBe("pt-BR");
  expect(canonical("iw")).toBe("he");
  expect(canonical("")).toBeUndefined();
  expect(canonical("x!")).toBeUndefined();
});

it("knows which way a text runs", () => {
  expect(["ar", "he", "fa-IR", "en", "ja", "az-Arab", "und", "?"].map(direction)).toEqual([
    "rtl",
    "rtl",
    "rtl",
    "ltr",
    "ltr",
    "rtl",
    "auto",
    "auto",
  ]);
});

it("asks translators for what they know", () => {
  expect(["en-GB", "zh-TW", "zh-Hans-CN", "pt-BR", "?"].map(translatable)).toEqual(["en", "zh-Hant", "zh", "pt", "?"]);
});

it("has a name for every language it offers", () => {
  for (const tag of OFFERED) {
    expect(canonical(tag)).toBe(tag);
    expect(languageName(tag, "en")).not.toBe(tag);
  }
  expect(languageName("?", "en")).toBe("?");
  expect(["en-GB", "zh-Hant-TW", "?"].map((tag) => textLanguageName(tag, "en"))).toEqual(["English", "Traditional Chinese", "?"]);
  expect(ownName("fr")).toBe("Français");
});

it("calls a language by one name where both are the same", () => {
  expect(bothNames("en-GB", "en")).toBe("British English");
  expect(bothNames("fr", "en")).toBe("Français – French");
  expect(bothNames("es", "es")).toBe("Español");
  for (const page of ["en", "fr", "ar", "ja"]) {
    for (const tag of [...OFFERED, "en-GB", "en-US", "fr-CA", "ar-EG", "es-419", "zh-TW"]) {
      const [own, here] = bothNames(tag, page).toLowerCase().split(" – ");
      expect(own, tag).not.toBe(here);
    }
  }
});
