import { readdirSync, readFileSync } from "node:fs";

import { FluentResource } from "@fluent/bundle";
import { beforeAll, describe, expect, it } from "vitest";

import { choose, locale, localeDirection, spoken, t, teach } from "../src/i18n/bundles";

const here = new URL("..", import.meta.url);
const sources = new Map(
  readdirSync(new URL("locales/", here)).map((name) => [
    name.replace(".ftl", ""),
    readFileSync(new URL(`locales/${name}`, here), "utf8"),
  ]),
);
const bare = (text: string) => text.replace(/[\u2066-\u2069]/g, "");

/** The messages of a language, with the variables each uses. */
function messages(source: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const { id, value } of new FluentResource(source).body) {
    const names = [...JSON.stringify(value).matchAll(/"type":"var","name":"(\w+)"/g)].map((match) => match[1]);
    found.set(id, [...new Set(names)].sort().join());
  }
  return found;
}

beforeAll(() => {
  for (const [tag, source] of sources) {
    teach(tag, source);
  }
});

describe("the languages of the page", () => {
  it("have the same messages, and ask for no other variables", () => {
    const english = messages(sources.get("en") as string);
    expect(english.size).toBeGreaterThan(150);
    for (const [tag, source] of sources) {
      const own = messages(source);
      expect([...own.keys()], tag).toEqual([...english.keys()]);
      for (const [id, names] of own) {
        // A language without a plural needs no number to choose by, but none may ask for what is not given.
        const given = (english.get(id) as string).split(",");
        expect(names === "" || names.split(",").every((name) => given.includes(name)), `${tag}: ${id}`).toBe(true);
      }
      const entries = source.match(/^[a-z][a-z-]* =/gm) ?? [];
      expect(new Set(entries).size, tag).toBe(entries.length);
    }
  });

  it("have every message that the page asks for, and no other", () => {
    const files = (readdirSync(new URL("src/", here), { recursive: true }) as string[]).filter((name) => /\.tsx?$/.test(name));
    const code = files.map((name) => readFileSync(new URL(`src/${name}`, here), "utf8")).join("\n");
    const known = messages(sources.get("en") as string);
    for (const [, id] of code.matchAll(/\bt\(\s*"([a-z-]+)"/g)) {
      expect(known.has(id as string), id).toBe(true);
    }
    const begun = [...code.matchAll(/`([a-z]+-)\$\{/g)].map((match) => match[1] as string);
    for (const id of known.keys()) {
      const isUsed = code.includes(`"${id}"`) || begun.some((start) => id.startsWith(start)) || id.endsWith("-question");
      expect(isUsed, id).toBe(true);
    }
  });

  it.each([
    ["en", [1, 2], ["1 unread message", "2 unread messages"]],
    ["fr", [0, 1, 2], ["0 message non lu", "1 message non lu", "2 messages non lus"]],
    ["ar", [0, 1, 2, 3, 11, 100], ["لا رسائل غير مقروءة", "رسالة واحدة غير مقروءة", "رسالتان غير مقروءتين", "رسائل", "رسالة", "رسالة"]],
    ["ja", [1, 5], ["未読 1 件", "未読 5 件"]],
  ])("count rightly in %s", (tag, counts, expected) => {
    locale.value = tag;
    counts.forEach((count, at) => expect(bare(t("unread-count", { count }))).toContain(expected[at]));
  });

  it("are chosen by what the reader reads", () => {
    expect(spoken().sort()).toEqual(["ar", "en", "fr", "ja"]);
    expect([choose(["fr-CH", "en"]), choose(["de", "ja"]), choose(["xx"]), choose([])]).toEqual(["fr", "ja", "en", "en"]);
    locale.value = "ar";
    expect(localeDirection()).toBe("rtl");
    locale.value = "en";
    expect(localeDirection()).toBe("ltr");
  });

  it("isolate names, so that none turns what stands beside it", () => {
    locale.value = "en";
    expect(t("nobody-called", { nick: "علي" })).toContain("\u2068علي\u2069");
    expect(t("no such message")).toBe("no such message");
  });
});
