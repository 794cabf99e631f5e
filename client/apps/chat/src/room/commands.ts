/** What is typed: a message, or one of the commands (pure). */

export type Command =
  | { kind: "say"; text: string }
  | { kind: "me"; text: string }
  | { kind: "nick"; nick: string }
  | { kind: "topic"; topic: string }
  | { kind: "join"; name: string }
  | { kind: "part" }
  | { kind: "msg"; nick: string; text: string }
  | { kind: "moderate"; action: "kick" | "ban" | "mute" | "unban" | "unmute"; nick: string; reason: string; seconds?: number }
  | { kind: "lang"; lang: string }
  | { kind: "help" }
  | { kind: "unknown"; name: string }
  | { kind: "incomplete"; name: string };

/** Names with what follows them, for completion and for help. */
export const COMMANDS = ["me", "nick", "topic", "join", "part", "msg", "kick", "ban", "unban", "mute", "unmute", "lang", "help"] as const;

export type CommandName = (typeof COMMANDS)[number];

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Reads what somebody has typed. Two slashes at the beginning stand for one, and for no command. */
export function command(typed: string): Command {
  const text = typed.trim();
  if (text.startsWith("//")) {
    return { kind: "say", text: text.slice(1) };
  }
  const found = /^\/([a-z]+)(?:\s+([\s\S]*))?$/i.exec(text);
  if (found === null) {
    return { kind: "say", text };
  }
  const name = (found[1] as string).toLowerCase();
  const rest = (found[2] ?? "").trim();
  const [first = "", ...others] = rest.split(/\s+/);
  const nick = first.replace(/^@/, "");
  const behind = rest.slice(first.length).trim();
  switch (name) {
    case "me":
      return rest ? { kind: "me", text: rest } : { kind: "incomplete", name };
    case "nick":
      return rest ? { kind: "nick", nick: rest } : { kind: "incomplete", name };
    case "topic":
      return { kind: "topic", topic: rest };
    case "join":
      return rest ? { kind: "join", name: rest.replace(/^#/, "") } : { kind: "incomplete", name };
    case "part":
    case "leave":
      return { kind: "part" };
    case "msg":
      return nick ? { kind: "msg", nick, text: behind } : { kind: "incomplete", name };
    case "kick":
    case "unban":
    case "unmute":
      return nick ? { kind: "moderate", action: name, nick, reason: behind } : { kind: "incomplete", name };
    case "ban":
    case "mute": {
      if (!nick) {
        return { kind: "incomplete", name };
      }
      const time = /^(\d{1,6})([smhd])$/.exec(others[0] ?? "");
      if (time === null) {
        return { kind: "moderate", action: name, nick, reason: behind };
      }
      const seconds = Number(time[1]) * (UNITS[time[2] as string] as number);
      return { kind: "moderate", action: name, nick, seconds, reason: others.slice(1).join(" ") };
    }
    case "lang":
      return first ? { kind: "lang", lang: first } : { kind: "incomplete", name };
    case "help":
      return { kind: "help" };
    default:
      return { kind: "unknown", name };
  }
}
