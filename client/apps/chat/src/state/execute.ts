/** Does what was typed. */

import { canonical, languageName } from "../text/languages";
import { locale, t } from "../i18n/bundles";
import type { Command } from "../room/commands";
import type { Me } from "../wire";
import type { Chat } from "./chat";
import { notice } from "./notices";
import type { Room } from "./room";
import { dialog, writingIn } from "./ui";

export async function execute(chat: Chat, room: Room, command: Command, replyTo: string | undefined): Promise<void> {
  switch (command.kind) {
    case "say":
    case "me":
      speak(chat, room, command.text, command.kind === "me" ? "action" : "text", replyTo);
      break;
    case "nick": {
      const me = await chat.ask<Me>("me.set", { nick: command.nick });
      if (me !== undefined) {
        chat.me.value = me;
      }
      break;
    }
    case "topic":
      await chat.ask("rooms.settings", { room: room.id, topic: command.topic });
      break;
    case "join":
      await join(chat, command.name);
      break;
    case "part":
      await chat.leave(room.id);
      break;
    case "msg": {
      const user = userOf(chat, command.nick);
      const direct = user === undefined ? undefined : await chat.direct(user);
      if (direct !== undefined && command.text !== "") {
        speak(chat, direct, command.text, "text", undefined);
      }
      break;
    }
    case "moderate": {
      const user = command.action === "unban" ? await bannedOf(chat, room, command.nick) : userOf(chat, command.nick);
      if (user !== undefined) {
        const { action, reason, seconds } = command;
        await chat.ask("moderate", { room: room.id, user, action, reason, ...(seconds === undefined ? {} : { seconds }) });
      }
      break;
    }
    case "lang": {
      const lang = command.lang === "auto" ? "" : canonical(command.lang);
      if (lang === undefined) {
        notice(t("no-such-language", { tag: command.lang }), "error");
      } else {
        writingIn.value = lang;
        notice(lang === "" ? t("writing-detected") : t("writing-in-language", { language: languageName(lang, locale.value) }));
      }
      break;
    }
    case "help":
      dialog.value = "help";
      break;
    case "incomplete":
      notice(t("command-incomplete", { command: `/${command.name}`, usage: t(`usage-${command.name}`) }), "error");
      break;
    case "unknown":
      notice(t("command-unknown", { command: `/${command.name}` }), "error");
      break;
  }
}

function speak(chat: Chat, room: Room, text: string, kind: "text" | "action", replyTo: string | undefined): void {
  chat.say(room.id, text, {
    kind,
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(writingIn.value === "" ? {} : { lang: writingIn.value }),
  });
  // Who speaks wants to see it said.
  void room.latest();
}

async function join(chat: Chat, name: string): Promise<void> {
  const wanted = name.toLocaleLowerCase();
  const known = () => chat.rooms.value.find((room) => room.id === name || room.name.toLocaleLowerCase() === wanted);
  let found = known();
  if (found === undefined) {
    // Nobody is told of rooms that others make; one that is new is found by asking.
    await chat.refresh();
    found = known();
  }
  if (found !== undefined) {
    await chat.show(found.id);
  } else if ((await chat.ask("rooms.join", { room: name })) !== undefined) {
    // An unlisted room is known by its id alone.
    await chat.refresh();
    await chat.show(name);
  }
}

function userOf(chat: Chat, nick: string): string | undefined {
  return orNobody(chat.userCalled(nick), nick);
}

/** Who is banned is no member any more: the room's list knows them. */
async function bannedOf(chat: Chat, room: Room, nick: string): Promise<string | undefined> {
  const found = await chat.ask<{ bans: { user: string; nick: string }[] }>("bans", { room: room.id });
  const wanted = nick.toLocaleLowerCase();
  return found && orNobody(found.bans.find((ban) => ban.nick.toLocaleLowerCase() === wanted)?.user, nick);
}

function orNobody(user: string | undefined, nick: string): string | undefined {
  if (user === undefined) {
    notice(t("nobody-called", { nick }), "error");
  }
  return user;
}
