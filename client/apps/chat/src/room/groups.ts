/** Messages as they are shown: days, one block per author, and where the new ones begin (pure). */

import type { Message } from "../wire";

export type Row =
  | { kind: "day"; key: string; ts: number }
  | { kind: "new"; key: string }
  | { kind: "message"; key: string; message: Message; isFirst: boolean };

/**
 * By what a message is known while the page is open: what is being sent keeps its place in the page, and what is open
 * on it, when it has arrived and has an id.
 */
export function keyOf({ id, user, nonce }: Message): string {
  return nonce === undefined ? id : `${user} ${nonce}`;
}

/** After so long, an author is named again. */
const GROUP_MS = 5 * 60_000;

/**
 * @param messages ascending
 * @param lastRead the newest event that was read: the line "new" stands behind it, if anything of others follows
 * @param me whose messages are never new
 * @param dayOf tells one day from another, in the reader's time zone
 */
export function rows(
  messages: readonly Message[],
  lastRead: number,
  me: string,
  dayOf: (ts: number) => string = (ts) => new Date(ts).toDateString(),
): Row[] {
  const found: Row[] = [];
  let before: Message | undefined;
  let day = "";
  let isNewShown = false;
  for (const message of messages) {
    const today = dayOf(message.ts);
    const isNewDay = today !== day;
    if (isNewDay) {
      day = today;
      found.push({ kind: "day", key: `day ${today}`, ts: message.ts });
    }
    const isNew = !isNewShown && message.seq > lastRead && message.user !== me;
    if (isNew) {
      isNewShown = true;
      found.push({ kind: "new", key: "new" });
    }
    found.push({
      kind: "message",
      key: keyOf(message),
      message,
      isFirst: isNewDay || isNew || !belongs(before, message),
    });
    before = message;
  }
  return found;
}

function belongs(before: Message | undefined, message: Message): boolean {
  return (
    before !== undefined &&
    before.user === message.user &&
    before.kind === "text" &&
    message.kind === "text" &&
    before.via?.name === message.via?.name &&
    message.replyTo === undefined &&
    message.ts - before.ts < GROUP_MS
  );
}
