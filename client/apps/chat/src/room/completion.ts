/** What the word at the cursor may become: a nick behind "@", a command behind "/" (pure). */

import { COMMANDS } from "./commands";

export interface Completion {
  /** What is replaced: from here to the cursor. */
  from: number;
  choices: Choice[];
}

export interface Choice {
  label: string;
  insert: string;
  /** The user behind a nick. */
  user?: string;
}

const LIMIT = 8;

/**
 * @param text what is in the box
 * @param cursor where the cursor stands
 * @param people who can be mentioned, those who spoke last first
 */
export function completion(
  text: string,
  cursor: number,
  people: Iterable<{ user: string; nick: string }>,
): Completion | undefined {
  const before = text.slice(0, cursor);
  const slash = /^\/([a-z]*)$/i.exec(before);
  if (slash) {
    const start = (slash[1] as string).toLowerCase();
    const choices = COMMANDS.filter((name) => name.startsWith(start)).map((name) => ({
      label: `/${name}`,
      insert: `/${name} `,
    }));
    return choices.length > 0 ? { from: 0, choices } : undefined;
  }
  const at = /(?:^|[\s([{"'«])@([\p{L}\p{M}\p{N}_.'·-]{0,40})$/u.exec(before);
  if (at === null) {
    return undefined;
  }
  const start = fold(at[1] as string);
  const first: Choice[] = [];
  const inside: Choice[] = [];
  for (const { user, nick } of people) {
    const folded = fold(nick);
    const choice = { label: nick, insert: `@${nick} `, user };
    if (folded.startsWith(start)) {
      first.push(choice);
    } else if (folded.includes(start)) {
      inside.push(choice);
    }
  }
  const choices = [...first, ...inside].slice(0, LIMIT);
  return choices.length > 0 ? { from: cursor - (at[1] as string).length - 1, choices } : undefined;
}

/** Without case and accents: "bea" finds "Béa". */
function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** The text after a choice, and where the cursor stands then. */
export function complete(text: string, cursor: number, from: number, insert: string): { text: string; cursor: number } {
  const after = text.slice(cursor).replace(/^ /, "");
  return { text: text.slice(0, from) + insert + after, cursor: from + insert.length };
}
