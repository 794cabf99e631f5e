"""`Room`: members, messages and rules of one chat room. Decides; does not send and does not store.

A command becomes events, or is refused. An event has happened as far as the room is concerned;
whoever carries the room makes it durable before anybody hears of it, and throws the room away
and loads it anew if that fails.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from msgspec.structs import replace

from hubbub.apps.chat import commands as do
from hubbub.apps.chat import events as ev
from hubbub.apps.chat import moderation, refusals
from hubbub.apps.chat.commands import Person
from hubbub.apps.chat.events import RoomEvent, RoomKind
from hubbub.apps.chat.member import Ban, Member, Role, rank
from hubbub.apps.chat.message import Message, Translated, mentioned, with_reaction
from hubbub.apps.chat.nick import folded

RECENT_LIMIT = 1_024
"""How many of the messages it has touched last a room remembers: more than can be on the way to the
disk, so that a change to one of them builds on the change before."""

TOPIC_LIMIT = 500


@dataclass
class Room:
    """One room."""

    id: str
    kind: RoomKind
    name: str = ""
    topic: str = ""
    retention: int = 0
    """How long messages are kept, in seconds; 0: for ever."""

    moderated: bool = False
    """Whether only those with a voice may speak."""

    created: int = 0
    seq: int = 0
    ts: int = 0
    """When something happened last, in ms; time in a room does not go back."""

    members: dict[str, Member] = field(default_factory=dict)
    bans: dict[str, Ban] = field(default_factory=dict)
    mutes: dict[str, int] = field(default_factory=dict)
    """Until when those may not speak who were muted and have left, in ms."""

    invited: set[str] = field(default_factory=set)
    recent: "OrderedDict[str, Message]" = field(default_factory=OrderedDict)
    nicks: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Learns the members' nicks."""
        for member in self.members.values():
            self.nicks[folded(member.nick)] = member.user

    def apply(self, command: do.Command, who: Person, now_ms: int) -> list[RoomEvent]:
        """What a command comes to.

        Args:
            command: What is wanted.
            who: By whom.
            now_ms: When.

        Raises:
            Refused: They may not, or it makes no sense.
        """
        at = max(now_ms, self.ts)
        decided = self._decide(command, who, at)
        self.ts = at
        return decided

    def may_see(self, user: str, now_ms: int) -> bool:
        """Whether somebody may read here: members, and everybody where the door is open."""
        if user in self.members:
            return True
        ban = self.bans.get(user)
        is_banned = ban is not None and ban.holds(now_ms)
        return self.kind in ("open", "unlisted") and not is_banned

    def knows(self, user: str) -> bool:
        """Whether somebody may know that this room exists."""
        return self.kind in ("open", "unlisted") or user in self.members or user in self.invited

    def _decide(self, command: do.Command, who: Person, at: int) -> list[RoomEvent]:
        match command:
            case do.Say():
                return self._say(command, who, at)
            case do.Edit():
                return self._edit(command, who, at)
            case do.Delete():
                return self._delete(command, who, at)
            case do.React():
                return self._react(command, who, at)
            case do.Correct():
                return self._correct(command, who, at)
            case do.Attach():
                return self._attach(command, who, at)
            case do.Configure():
                return self._configure(command, who, at)
            case do.Invite():
                return self._invite(command, who, at)
            case do.Moderate():
                return moderation.decide(self, command, who, at)
            case do.Join():
                return self._join(who, at)
            case do.Leave():
                return self._leave(who, at)
            case do.Renew():
                return self._renew(who, at)
            case do.Erase():
                return self._erase(who, at)

    # What each command comes to

    def _say(self, command: do.Say, who: Person, at: int) -> list[RoomEvent]:
        self._check_voice(who, at)
        message = Message(
            command.id,
            self.id,
            self._next(),
            at,
            who.user,
            who.nick,
            command.kind,
            command.text,
            command.lang,
            command.lang_source,
            reply_to=command.reply_to,
            mentions=self._mentions(command.text, who.user),
            via=command.via,
            files=command.files,
        )
        self._remember(message)
        return [ev.Said(message.seq, at, message, command.nonce)]

    def _edit(self, command: do.Edit, who: Person, at: int) -> list[RoomEvent]:
        message = self._own(command.message, who)
        self._check_voice(who, at)
        mentions = self._mentions(command.text, who.user)
        # A translation of the old text is none of the new one.
        self._remember(
            replace(
                message,
                text=command.text,
                lang=command.lang,
                lang_source=command.lang_source,
                edited=at,
                mentions=mentions,
                translations={},
            )
        )
        told = (message.id, command.text, command.lang, command.lang_source, at, who.user, mentions)
        return [ev.Edited(self._next(), at, *told)]

    def _delete(self, command: do.Delete, who: Person, at: int) -> list[RoomEvent]:
        message = self._alive(command.message)
        if message.user != who.user:
            self._check_rank(who, "moderator")
        self._check_member(who)
        self._remember(
            replace(
                message, text="", deleted=at, mentions=(), reactions={}, translations={}, files=()
            )
        )
        return [ev.Deleted(self._next(), at, message.id, who.user)]

    def _react(self, command: do.React, who: Person, at: int) -> list[RoomEvent]:
        self._check_member(who, at)
        message = self._alive(command.message)
        had = who.user in message.reactions.get(command.emoji, ())
        if had == command.on:
            return []
        reactions = with_reaction(message, command.emoji, who.user, on=command.on)
        self._remember(replace(message, reactions=reactions))
        return [ev.Reacted(self._next(), at, message.id, command.emoji, who.user, command.on)]

    def _correct(self, command: do.Correct, who: Person, at: int) -> list[RoomEvent]:
        self._check_member(who, at)
        message = self._alive(command.message)
        if message.lang == command.lang and message.lang_source == "user":
            return []
        if message.user != who.user and message.lang_source == "user":
            self._check_rank(who, "moderator")
        self._remember(replace(message, lang=command.lang, lang_source="user", translations={}))
        return [ev.Corrected(self._next(), at, message.id, command.lang, "user", who.user)]

    def _attach(self, command: do.Attach, who: Person, at: int) -> list[RoomEvent]:
        if command.by == "client":
            # What somebody says their words mean is said by them, too.
            self._check_voice(who, at)
        message = self._alive(command.message)
        made = Translated(command.text, command.engine, command.by)
        if message.translations.get(command.lang) == made:
            return []
        translations = {**message.translations, command.lang: made}
        self._remember(replace(message, translations=translations))
        told = (message.id, command.lang, command.text, command.engine, command.by)
        return [ev.Attached(self._next(), at, *told)]

    def _join(self, who: Person, at: int) -> list[RoomEvent]:
        if who.user in self.members:
            return []
        ban = self.bans.get(who.user)
        if ban is not None and ban.holds(at):
            raise refusals.forbidden("you are banned from this room")
        # Whoever comes into a room in which nothing has happened has made it, and owns it.
        is_maker = self.seq == 0 and self.kind != "direct"
        is_open = self.kind in ("open", "unlisted")
        if not (is_maker or is_open or who.user in self.invited):
            raise refusals.no_such("room")
        role: Role = "owner" if is_maker else ""
        self.invited.discard(who.user)
        muted_until = self.mutes.pop(who.user, 0)
        self.members[who.user] = Member(
            who.user, who.nick, role=role, muted_until=muted_until, joined=at
        )
        return [self._renewed(who, at, joined=True)]

    def _leave(self, who: Person, at: int) -> list[RoomEvent]:
        if self.kind == "direct":
            raise refusals.forbidden("a conversation of two cannot be left")
        if who.user not in self.members:
            return []
        return [*self.part(who.user, who.user, at), ev.Parted(self._next(), at, who.user, "part")]

    def _renew(self, who: Person, at: int) -> list[RoomEvent]:
        member = self.members.get(who.user)
        if member is None:
            return []
        was = (member.nick, member.langs, member.preferred, member.guest)
        same = was == (who.nick, who.langs, who.preferred, who.guest)
        return [] if same else [self._renewed(who, at)]

    def _invite(self, command: do.Invite, who: Person, at: int) -> list[RoomEvent]:
        if self.kind == "direct":
            raise refusals.forbidden("a conversation of two takes no third")
        self._check_member(who, at)
        if self.kind == "members":
            self._check_rank(who, "moderator")
        ban = self.bans.get(command.user)
        if ban is not None and ban.holds(at):
            raise refusals.forbidden("they are banned from this room")
        if command.user in self.members or command.user in self.invited:
            return []
        self.invited.add(command.user)
        return [ev.Invited(self._next(), at, command.user, who.user)]

    def _configure(self, command: do.Configure, who: Person, at: int) -> list[RoomEvent]:
        if self.kind == "direct" or command.kind == "direct":
            raise refusals.forbidden("a conversation of two has no settings")
        self._check_member(who)
        told: list[RoomEvent] = []
        if command.topic is not None and command.topic != self.topic:
            self._check_rank(who, "moderator")
            self.topic = command.topic
            told.append(ev.TopicSet(self._next(), at, self.topic, who.user))
        changed = ev.RoomSet(
            0,
            at,
            self.name if command.name is None else command.name,
            command.kind or self.kind,
            self.retention if command.retention is None else command.retention,
            self.moderated if command.moderated is None else command.moderated,
            who.user,
        )
        now = (self.name, self.kind, self.retention, self.moderated)
        if now != (changed.name, changed.kind, changed.retention, changed.moderated):
            self._check_rank(who, "owner")
            self.name, self.kind = changed.name, command.kind or self.kind
            self.retention, self.moderated = changed.retention, changed.moderated
            told.append(replace(changed, seq=self._next()))
        return told

    def _erase(self, who: Person, at: int) -> list[RoomEvent]:
        told = self.part(who.user, who.user, at)
        self.bans.pop(who.user, None)
        self.mutes.pop(who.user, None)
        self.recent.clear()
        return [*told, ev.Erased(self._next(), at, who.user)]

    # What moderation needs, too

    def rank_of(self, who: Person) -> int:
        """How high somebody stands here."""
        member = self.members.get(who.user)
        if who.is_owner and self.kind != "direct":
            return rank("owner")
        return rank(member.role) if member is not None else -1

    def is_moderator(self, who: Person) -> bool:
        """Whether somebody may moderate here."""
        return self.rank_of(who) >= rank("moderator")

    def next_seq(self) -> int:
        """The room's next number."""
        return self._next()

    def part(self, user: str, by: str, at: int) -> list[RoomEvent]:
        """Somebody is no member any more; the events are of whoever owns the room instead.

        Args:
            user: Who.
            by: Because of whom.
            at: When.
        """
        member = self.members.pop(user, None)
        if member is None:
            return []
        if self.nicks.get(folded(member.nick)) == user:
            del self.nicks[folded(member.nick)]
        if member.is_muted(at):
            self.mutes[user] = member.muted_until
        others = self.members.values()
        if member.role != "owner" or not others or any(one.role == "owner" for one in others):
            return []
        heir = min(
            others, key=lambda one: (-rank(one.role), one.is_muted(at), one.guest, one.joined)
        )
        heir.role = "owner"
        return [self.shown(heir, self._next(), at, by)]

    def shown(self, member: Member, seq: int, at: int, by: str = "") -> ev.MemberSet:
        """A member as everybody sees them."""
        return ev.MemberSet(
            seq,
            at,
            member.user,
            member.nick,
            member.guest,
            member.langs,
            member.preferred,
            member.role,
            member.muted_until,
            by=by,
        )

    # Inside

    def _next(self) -> int:
        self.seq += 1
        return self.seq

    def _remember(self, message: Message) -> None:
        self.recent[message.id] = message
        self.recent.move_to_end(message.id)
        if len(self.recent) > RECENT_LIMIT:
            self.recent.popitem(last=False)

    def _renewed(self, who: Person, at: int, *, joined: bool = False) -> ev.MemberSet:
        member = self.members[who.user]
        if self.nicks.get(folded(member.nick)) == who.user:
            del self.nicks[folded(member.nick)]
        self.nicks[folded(who.nick)] = who.user
        member.nick, member.langs, member.preferred = who.nick, who.langs, who.preferred
        member.guest = who.guest
        return replace(self.shown(member, self._next(), at), joined=joined)

    def _mentions(self, text: str, sender: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for written in mentioned(text):
            # "@ada." ends a sentence: a nick may contain a full stop, but does not end in one.
            user = self.nicks.get(folded(written))
            if user is not None and user != sender:
                found[user] = None
        return tuple(found)

    def _alive(self, message: Message) -> Message:
        message = self.recent.get(message.id, message)
        if message.deleted:
            raise refusals.no_such("message")
        return message

    def _own(self, message: Message, who: Person) -> Message:
        message = self._alive(message)
        if message.user != who.user:
            raise refusals.forbidden("only its sender may change a message")
        return message

    def _check_member(self, who: Person, at: int = 0) -> None:
        member = self.members.get(who.user)
        if member is None and not (who.is_owner and self.kind != "direct"):
            raise refusals.forbidden("join the room first")
        if member is not None and at and member.is_muted(at):
            raise refusals.forbidden("you are muted in this room")

    def _check_voice(self, who: Person, at: int) -> None:
        if who.user not in self.members:
            raise refusals.forbidden("join the room first")
        self._check_member(who, at)
        if self.moderated and self.rank_of(who) < rank("voice"):
            raise refusals.forbidden("only those with a voice may speak here")

    def _check_rank(self, who: Person, least: Role) -> None:
        if self.rank_of(who) < rank(least):
            raise refusals.forbidden(f"only a room's {least} may do that")
