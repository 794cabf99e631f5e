import { readFileSync } from "node:fs";

import { beforeAll, describe, expect, it } from "vitest";

import { locale, teach } from "../src/i18n/bundles";
import { reasonOf } from "../src/i18n/refusals";

beforeAll(() => {
  for (const tag of ["en", "fr"]) {
    teach(tag, readFileSync(new URL(`../locales/${tag}.ftl`, import.meta.url), "utf8"));
  }
});

describe("what the service refuses", () => {
  it("is told in its own words to who reads English", () => {
    locale.value = "en-GB";
    expect(reasonOf({ code: 403, message: "you are muted in this room" })).toBe("you are muted in this room");
    expect(reasonOf({ code: 409 })).toBe("Somebody else has that already.");
  });

  it("is told in the language of everybody else", () => {
    locale.value = "fr";
    expect(reasonOf({ code: 403, message: "you are muted in this room" })).toBe("Vous n’avez pas le droit de faire cela ici.");
  });

  it("keeps the words of what it does not know", () => {
    locale.value = "fr";
    expect(reasonOf({ code: 104, message: "unauthorized" })).toBe("unauthorized");
    expect(reasonOf(new Error("no network"))).toBe("no network");
    expect(reasonOf("odd")).toBe("odd");
  });
});
