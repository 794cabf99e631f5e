/** Keeps code, addresses and nicks out of a translator's hands: numbers in brackets stand for them (pure). */

import { parse, type Block, type Inline } from "../text/parse";

export interface Protected {
  text: string;
  /** The translation with everything back in its place; `undefined` if the translator lost or doubled a piece. */
  restore(translated: string): string | undefined;
}

const CODE = /```[\s\S]*?(?:```|$)|`+[^`]+`+/g;
const ADDRESS = /https?:\/\/[^\s<>"]+/gi;
const MENTION = /(?<![\p{L}\p{N}_@/])@[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_.'·-]*[\p{L}\p{M}\p{N}_])?/gu;
const EMOJI = /\p{Extended_Pictographic}(?:[\u200d\ufe0f\u{1f3fb}-\u{1f3ff}]|\p{Extended_Pictographic})*/gu;
const PLACE = /[[［⟦【]\s*(\d{1,3})\s*[\]］⟧】]/g;

export function protect(text: string): Protected {
  const pieces: string[] = [];
  // A number in brackets that stands there already must come back as it was.
  let covered = text;
  for (const pattern of [/\[\d{1,3}\]/g, CODE, ADDRESS, MENTION, EMOJI]) {
    covered = covered.replace(pattern, (piece) => {
      pieces.push(piece.replace(PLACE, (place, number: string) => pieces[Number(number)] ?? place));
      return `[${pieces.length - 1}]`;
    });
  }
  const expected = numbers(covered);
  return {
    text: covered,
    restore(translated) {
      const found = numbers(translated);
      if (found.length !== expected.length || [...found].sort().join() !== [...expected].sort().join()) {
        return undefined;
      }
      return translated.replace(PLACE, (_, number: string) => pieces[Number(number)] as string);
    },
  };
}

function numbers(text: string): string[] {
  return [...text.matchAll(PLACE)].map((match) => match[1] as string);
}

/** Whether there is anything to translate: two letters outside code, addresses and nicks. */
export function hasWords(text: string): boolean {
  return (words(parse(text)).match(/\p{L}/gu) ?? []).length >= 2;
}

function words(blocks: readonly Block[]): string {
  return blocks
    .map((block) => (block.kind === "fence" ? "" : block.kind === "quote" ? words(block.children) : inlineWords(block.children)))
    .join(" ");
}

function inlineWords(nodes: readonly Inline[]): string {
  return nodes
    .map((node) => {
      switch (node.kind) {
        case "text":
          return node.text.replace(ADDRESS, "");
        case "strong":
        case "emphasis":
        case "struck":
        case "link":
          return inlineWords(node.children);
        default:
          return " ";
      }
    })
    .join("");
}
