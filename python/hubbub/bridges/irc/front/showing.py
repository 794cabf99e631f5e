"""A room, as a client is shown it: JOIN, topic and names (pure)."""

from hubbub.bridges.irc.front.events import PREFIXES, Person, Place
from hubbub.bridges.irc.front.session import Session
from hubbub.bridges.irc.line import Line


def show_room(session: Session, room: str, person: Person, origin: object = None) -> None:
    """Everything about a room that somebody has just come into."""
    session.tell(join_line(session, person, room), origin)
    place = session.chat.place(session.me, room)
    if place is None:
        return
    if place.topic:
        tell_topic(session, place, origin)
    tell_names(session, place, origin)


def join_line(session: Session, person: Person, room: str) -> Line:
    """Somebody's JOIN, as this client wants it."""
    params: tuple[str, ...] = (f"#{room}",)
    if session.caps("extended-join"):
        params = (f"#{room}", person.account or "*", person.name or person.nick)
    tags = {"account": person.account} if person.account else {}
    return Line("JOIN", params, person.source, tags)


def tell_topic(session: Session, place: Place, origin: object) -> None:
    """What a room is about, and who says so if that is known."""
    name = f"#{place.name}"
    session.tell(session.out.numeric("332", name, place.topic), origin)
    if place.topic_by:
        setter = session.out.numeric("333", name, place.topic_by, str(place.topic_s))
        session.tell(setter, origin)


def tell_names(session: Session, place: Place, origin: object) -> None:
    """Who is in a room."""
    name, kind = f"#{place.name}", "=" if place.is_listed else "@"
    names = [_listed(session, one) for one in session.chat.members(session.me, place.name)]
    for line in session.out.listing("353", kind, name, names=names):
        session.tell(line, origin)
    session.tell(session.out.numeric("366", name, "End of /NAMES list"), origin)


def _listed(session: Session, person: Person) -> str:
    name = person.source if session.caps("userhost-in-names") else person.nick
    return PREFIXES[person.role] + name
