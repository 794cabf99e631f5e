"""What a room's archive holds (XEP-0313): what was said while we were not there.

It is read from its end, until what is known: of more than can be read, the newest matters. Who was
killed may know a message and not the one before, so one page more is read than need be.
"""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement

from hubbub.bridges.xmpp.muc import names as ns
from hubbub.bridges.xmpp.muc.connection import Connection, Refused
from hubbub.bridges.xmpp.muc.stanzas import Message, read_message
from hubbub.log import logger

STAMP = "%Y-%m-%dT%H:%M:%SZ"

_PAGE = 50
_PAGES_LIMIT = 200
"""10,000 messages: as many as wait in the other direction."""


async def since(
    connection: Connection, room: str, start: datetime, is_known: Callable[[str], bool]
) -> AsyncIterator[Message]:
    """What was said since then and is not known, the oldest first.

    Args:
        connection: By which to ask.
        room: Whose archive.
        start: Since when.
        is_known: Whether what the room calls so was heard.
    """
    found: list[tuple[str, Element]] = []
    before = ""
    has_met_known = False
    for _ in range(_PAGES_LIMIT):
        query_id = f"{room} {before}"
        query = _query(query_id, start, before)
        with connection.collecting(query_id) as results:
            try:
                answer = await connection.ask(room, query, "set")
            except Refused as refused:
                logger.warning("xmpp: the archive of %s: %s", room, refused.condition)
                break
        page = [(one.get("id", ""), one) for one in results]
        fresh = [one for one in page if one[0] and not is_known(one[0])]
        found[:0] = fresh
        fin = answer.find(f"{{{ns.MAM}}}fin")
        is_all = fin is None or fin.get("complete") == "true"
        if is_all or not page or has_met_known:
            break
        has_met_known = len(fresh) < len(page)
        before = page[0][0]
    else:
        logger.warning(
            "xmpp: more was said in %s meanwhile than the %d messages that are read of it",
            room,
            len(found),
        )
    for id_, result in found:
        message = _message(result, id_, room)
        if message is not None:
            yield message


def _query(query_id: str, start: datetime, before: str) -> Element:
    query = Element(f"{{{ns.MAM}}}query", {"queryid": query_id})
    form = SubElement(query, f"{{{ns.FORM}}}x", {"type": "submit"})
    fields = {"FORM_TYPE": ns.MAM, "start": start.astimezone(UTC).strftime(STAMP)}
    for name, value in fields.items():
        kind = {"type": "hidden"} if name == "FORM_TYPE" else {}
        one = SubElement(form, f"{{{ns.FORM}}}field", {"var": name, **kind})
        SubElement(one, f"{{{ns.FORM}}}value").text = value
    page = SubElement(query, f"{{{ns.RSM}}}set")
    SubElement(page, f"{{{ns.RSM}}}max").text = str(_PAGE)
    # Empty: the last page.
    SubElement(page, f"{{{ns.RSM}}}before").text = before or None
    return query


def _message(result: Element, id_: str, room: str) -> Message | None:
    forwarded = result.find(f"{{{ns.FORWARD}}}forwarded")
    if forwarded is None:
        return None
    inner = next((one for one in forwarded if one.tag.endswith("}message")), None)
    delay = forwarded.find(f"{{{ns.DELAY}}}delay")
    if inner is None or not inner.get("from", "").startswith(f"{room}/"):
        return None
    if delay is not None:
        inner.append(delay)
    # The archive's id is the room's (XEP-0313 §5.1.2), and inside no other is believed.
    for one in inner.findall(f"{{{ns.STANZA_ID}}}stanza-id"):
        inner.remove(one)
    SubElement(inner, f"{{{ns.STANZA_ID}}}stanza-id", {"by": room, "id": id_})
    return read_message(inner)
