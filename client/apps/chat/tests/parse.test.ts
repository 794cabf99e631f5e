import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { type Block, parse, plainText } from "../src/text/parse";

const vectors: { texts: { why: string; text: string; nodes: Block[] }[] } = JSON.parse(
  readFileSync(new URL("../../../../tests/vectors/markup.json", import.meta.url), "utf8"),
);

describe("the text of a message", () => {
  it.each(vectors.texts)("means the same to every reader: $why", ({ text, nodes }) => {
    expect(parse(text)).toEqual(nodes);
  });

  it("never loses a character of what is not markup", () => {
    // A generator of its own, so that a failure can be repeated.
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed % below;
    };
    const pieces = ["*", "**", "~~", "`", "[", "](", ")", "https://a.b/", "@a", ">", "\n", "```", "\\", " ", "x", "é", "🎈"];
    for (let round = 0; round < 800; round += 1) {
      const text = Array.from({ length: random(24) }, () => pieces[random(pieces.length)]).join("");
      const kept = plainText(text);
      expect(kept.split("x").length, JSON.stringify(text)).toBe(text.split("x").length - lostInAddresses(text, kept, "x"));
    }
  });

  it("takes time that grows with its length alone", () => {
    const rows = ["*", "**", "* a", "~~a", "`", "``a`", "[", "[a](", "[a](https://a.b/", "@", "https://", "https://a/)", ">", "> ", "```\n", "\\", "***a"];
    for (const row of rows) {
      const text = row.repeat(Math.ceil(4000 / row.length)).slice(0, 4000);
      const begun = performance.now();
      parse(text);
      expect(performance.now() - begun, row).toBeLessThan(1000);
    }
  });

  it("is read aloud without its marks", () => {
    expect(plainText("**hi** `x` [there](https://a.b/)\n> @ada\n```\ny\n```")).toBe("hi x there @ada y");
  });
});

/** The target of a link with a label, and the language of a fence, are not read aloud. */
function lostInAddresses(text: string, kept: string, character: string): number {
  const isHidden = text.includes("](https") || text.includes("```");
  return isHidden ? text.split(character).length - kept.split(character).length : 0;
}
