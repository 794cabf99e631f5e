"""What moderators do to people: who may, and what comes of it (pure; a part of `Room`)."""

from typing import TYPE_CHECKING

from hubbub.apps.chat import events as ev
from hubbub.apps.chat import refusals
from hubbub.apps.chat.commands import Moderate, Person
from hubbub.apps.chat.events import RoomEvent
from hubbub.apps.chat.member import Ban, Member, Role, rank

if TYPE_CHECKING:
    from hubbub.apps.chat.room import Room

MUTED_FOREVER_MS = 1 << 52
_ROLES: dict[str, Role] = {
    "voice": "voice",
    "devoice": "",
    "moderator": "moderator",
    "owner": "owner",
    "member": "",
}


def decide(room: "Room", command: Moderate, who: Person, at: int) -> list[RoomEvent]:
    """The events of one act of moderation.

    Raises:
        Refused: They may not, or there is nobody to do it to.
    """
    if room.kind == "direct":
        raise refusals.forbidden("nobody moderates a conversation of two")
    if not room.is_moderator(who):
        raise refusals.forbidden("only a room's moderator may do that")
    member = room.members.get(command.user)
    if member is not None and not _is_above(room, who, member):
        raise refusals.forbidden("they stand as high as you")
    match command.action:
        case "ban":
            until = at + command.seconds * 1000 if command.seconds else 0
            room.bans[command.user] = Ban(command.user, who.user, until, command.reason)
            room.invited.discard(command.user)
            told = room.part(command.user, who.user, at)
            seq, reason = room.next_seq(), command.reason
            return [*told, ev.Parted(seq, at, command.user, "ban", who.user, reason, until)]
        case "unban":
            if room.bans.pop(command.user, None) is None:
                return []
            return [ev.Unbanned(room.next_seq(), at, command.user, who.user)]
        case _ if member is None:
            raise refusals.no_such("member")
        case "kick":
            told = room.part(command.user, who.user, at)
            seq, reason = room.next_seq(), command.reason
            return [*told, ev.Parted(seq, at, command.user, "kick", who.user, reason)]
        case "mute" | "unmute":
            until = at + command.seconds * 1000 if command.seconds else MUTED_FOREVER_MS
            member.muted_until = until if command.action == "mute" else 0
            return [room.shown(member, room.next_seq(), at, who.user)]
        case _:
            return _give(room, member, _ROLES[command.action], who, at)


def _is_above(room: "Room", who: Person, member: Member) -> bool:
    """Whether somebody may do something to a member. Owners may depose each other."""
    mine, theirs = room.rank_of(who), rank(member.role)
    return member.user == who.user or mine > theirs or mine == rank("owner")


def _give(room: "Room", member: Member, role: Role, who: Person, at: int) -> list[RoomEvent]:
    highest = max(rank(role), rank(member.role))
    if highest >= rank("moderator") and room.rank_of(who) < rank("owner"):
        raise refusals.forbidden("only a room's owner may do that")
    if member.role == role:
        return []
    owners = [one for one in room.members.values() if one.role == "owner"]
    if member.role == "owner" and len(owners) == 1:
        raise refusals.forbidden("a room keeps one owner")
    member.role = role
    return [room.shown(member, room.next_seq(), at, who.user)]
