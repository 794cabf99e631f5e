"""What is fetched over HTTP beside the page: exports, translations."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from hubbub._core import Request
from hubbub.apps.chat import commands as do
from hubbub.apps.chat import export, refusals, wire
from hubbub.apps.chat.message import Message
from hubbub.apps.chat.room import Room
from hubbub.apps.chat.sign_in import refused
from hubbub.http import Response, StreamingResponse
from hubbub.hub import Client, Refused
from hubbub.log import logger
from hubbub.params import NOT_JSON
from hubbub.translation import Translation, install

if TYPE_CHECKING:
    from hubbub.apps.chat.service import ChatService

PORTION = 500
"""Messages that are read at a time."""

_TYPES = {"jsonl": "application/jsonl; charset=utf-8", "html": "text/html; charset=utf-8"}
# The exported page brings its own style, and nothing else that runs.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"


class Downloads:
    """Exports of rooms, and translations with LibreTranslate's routes."""

    def __init__(self, chat: "ChatService") -> None:
        self._chat = chat
        chat.hub.rpc("export")(self.link)
        chat.app.get("/api/export/{room}")(self.export)
        install(chat.app, lambda: chat.translator, allow=self._may_translate, attach=self._attach)

    def link(self, client: Client, params: wire.ExportParams) -> wire.Link:
        """Where a room can be fetched as a file."""
        room = self._chat.room_for(client, params.room)
        return wire.Link(f"api/export/{room.id}?format={params.format}")

    def export(
        self,
        req: Request,
        room: str,
        format: str = "jsonl",  # noqa: A002
    ) -> Response | StreamingResponse:
        """A room as a file, for those who may read it."""
        chat = self._chat
        account = chat.sign_in.who(req)
        if account is None:
            return refused(refusals.not_signed_in())
        found = chat.live.room(room)
        if found is None or not found.may_see(account.user, chat.now_ms()):
            return refused(refusals.no_such("room"))
        if format not in _TYPES:
            return refused(refusals.bad("format is jsonl or html"))
        try:
            chat.slow("searches_per_user", account.user)
        except Refused as slow:
            return refused(slow)
        headers = {
            "content-disposition": f'attachment; filename="{found.id}.{format}"',
            "content-security-policy": _POLICY,
            "cache-control": "no-store",
        }
        pieces = self._pieces(found, is_html=format == "html")
        return StreamingResponse(pieces, content_type=_TYPES[format], headers=headers)

    async def _pieces(self, room: Room, *, is_html: bool) -> AsyncIterator[str]:
        if is_html:
            yield export.html_head(room.name or "Conversation")
        write = export.html_message if is_html else export.json_line
        messages = await self._portion(room, 0)
        while messages:
            yield "".join(map(write, messages))
            messages = await self._portion(room, messages[-1].seq)
        if is_html:
            yield export.html_tail()

    async def _portion(self, room: Room, after: int) -> list[Message]:
        return await self._chat.store.read(lambda reader: reader.after(room.id, after, PORTION))

    def _may_translate(self, request: Request, api_key: str) -> str | None:
        account = self._chat.sign_in.who(request)
        if account is not None:
            return account.user
        is_known = bool(api_key) and api_key in self._chat.config.translate_keys
        return f"key {api_key[:8]}" if is_known else None

    async def _attach(
        self,
        request: Request,
        id: str,  # noqa: A002
        target: str,
        translation: Translation,
    ) -> None:
        """Keeps a translation beside its message, if it is one of the message as it is."""
        chat = self._chat
        account = chat.sign_in.who(request)
        message = chat.store.here.message(id)
        if account is None or message is None:
            return
        room = chat.live.room(message.room)
        if room is None or not room.may_see(account.user, chat.now_ms()):
            return
        try:
            message = chat.live.message(room, id)
            if _is_of(request, message, translation):
                person = account.person(chat.people.owners)
                command = do.Attach(message, target, translation.text, translation.engine, "server")
                await chat.live.carry_out(room, command, person)
        except Refused as error:
            # It is translated all the same.
            logger.debug("chat: a translation of %s is not kept: %s", id, error.message)


class _Asked(Struct):
    q: str = ""


def _is_of(request: Request, message: Message, translation: Translation) -> bool:
    """Whether this is what the message says, and not something put under its name."""
    try:
        asked = msgspec.json.decode(request.body, type=_Asked).q
    except NOT_JSON:
        return False
    language = message.lang.partition("-")[0]
    is_language = language in ("und", translation.source.partition("-")[0])
    return (
        bool(translation.engine) and not message.deleted and asked == message.text and is_language
    )
