"""`POST /translate`, `POST /detect`, `GET /languages`, in LibreTranslate's shapes.

Its clients work unchanged. Who may ask is the application's to say.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec
from msgspec import Struct

from hubbub._core import Request
from hubbub.app import App
from hubbub.errors import Reject
from hubbub.forms import Form
from hubbub.http import Response
from hubbub.log import logger
from hubbub.params import NOT_JSON
from hubbub.translation.detection import detect
from hubbub.translation.failures import (
    Exhausted,
    NoBackend,
    Throttled,
    TooLong,
    TranslationFailure,
)
from hubbub.translation.names import english_name
from hubbub.translation.tags import UNKNOWN, BadTag, canonical
from hubbub.translation.translator import AUTO, Translation, Translator

TEXTS_LIMIT = 64
"""Texts in one request."""

BODY_LIMIT_BYTES = 1024 * 1024
"""A request's body."""

_DETECT_LIMIT = 10_000


Allow = Callable[[Request, str], str | Awaitable[str | None] | None]
"""Who asks: `(request, api_key)` returns whose share it counts for, or None for a stranger."""

Attach = Callable[[Request, str, str, Translation], object | Awaitable[object]]
"""Told of a translated message: `(request, message, target, translation)`."""


class _Fields(Struct):
    """A request's body, by JSON or form; what else is in it is passed over."""

    q: str | list[str] = ""
    source: str | None = None
    target: str | None = None
    format: Literal["text", "html"] | None = None
    api_key: str | None = None
    message: str | None = None

    def texts(self) -> list[str]:
        return [self.q] if isinstance(self.q, str) else self.q


def install(
    app: App[Any],
    translator: Translator | Callable[[], Translator],
    *,
    allow: Allow,
    attach: Attach | None = None,
    path: str = "",
) -> None:
    """Puts the routes on an app.

    Args:
        app: Where they stand.
        translator: Who translates, or a function that returns it when a request is there.
        allow: Says who asks. It may be `async def`.
        attach: Told of what was translated with `message`, an extension of ours. It may be
            `async def`.
        path: Below which path.
    """

    def current() -> Translator:
        return translator() if callable(translator) else translator

    @app.post(path + "/translate", body_limit_bytes=BODY_LIMIT_BYTES)
    async def translate(req: Request) -> Response:
        try:
            fields = _fields(req)
            caller = await _caller(allow, req, fields.api_key or "")
            return _json(await _translate(current(), req, fields, caller, attach))
        except _Refused as refused:
            return _error(refused)

    @app.post(path + "/detect", body_limit_bytes=BODY_LIMIT_BYTES)
    async def detect_language(req: Request) -> Response:
        try:
            fields = _fields(req)
            await _caller(allow, req, fields.api_key or "")
            found = detect("\n".join(fields.texts())[:_DETECT_LIMIT])
            return _json([{"confidence": _percent(found.confidence), "language": found.lang}])
        except _Refused as refused:
            return _error(refused)

    @app.get(path + "/languages")
    async def languages(req: Request) -> Response:
        pairs = await current().pairs()
        return _json(
            [
                {"code": source, "name": english_name(source), "targets": sorted(targets)}
                for source, targets in sorted(pairs.targets.items())
            ]
        )


class _Refused(Exception):
    def __init__(self, status: int, words: str, retry_after_s: float | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.retry_after_s = retry_after_s


async def _caller(allow: Allow, request: Request, api_key: str) -> str:
    caller = allow(request, api_key)
    if inspect.isawaitable(caller):
        caller = await caller
    if caller is None:
        raise _Refused(403, "Sign in, or send an api_key")
    return caller


async def _translate(
    translator: Translator, request: Request, fields: _Fields, caller: str, attach: Attach | None
) -> dict[str, Any]:
    if not fields.source:
        raise _Refused(400, "Invalid request: missing source parameter")
    if not fields.target:
        raise _Refused(400, "Invalid request: missing target parameter")
    try:
        found = await asyncio.gather(
            *(
                translator.translate(
                    text,
                    fields.source,
                    fields.target,
                    caller=caller,
                    is_html=fields.format == "html",
                )
                for text in fields.texts()
            )
        )
    except TranslationFailure as failure:
        raise _refusal(failure) from None
    except BadTag as error:
        raise _Refused(400, f"{error.tag} is not supported: {error.reason}") from None
    if fields.message and attach is not None:
        target = canonical(fields.target)
        for one in found:
            told = attach(request, fields.message, target, one)
            if inspect.isawaitable(told):
                await told
    texts = [one.text for one in found]
    is_one = isinstance(fields.q, str)
    answer: dict[str, Any] = {"translatedText": texts[0] if is_one else texts}
    if fields.source == AUTO or canonical(fields.source) == UNKNOWN:
        detected = [
            {"confidence": _percent(one.confidence), "language": one.source} for one in found
        ]
        answer["detectedLanguage"] = detected[0] if is_one else detected
    return answer


def _refusal(failure: TranslationFailure) -> _Refused:
    match failure:
        case Throttled():
            return _Refused(429, f"Slowdown: {failure}", failure.retry_after_s)
        case NoBackend():
            return _Refused(400, f"{failure.source} to {failure.target} is not supported")
        case TooLong():
            return _Refused(
                400,
                f"Invalid request: request ({failure.size}) exceeds text limit ({failure.limit})",
            )
        case Exhausted():
            # Which services we use, and how they fail, is ours to know.
            logger.info("not translated: %s", failure)
            return _Refused(500, "Cannot translate text: no translator answers")
        case _:
            return _Refused(500, "Cannot translate text")


def _fields(request: Request) -> _Fields:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "application/json":
            fields = msgspec.json.decode(request.body, type=_Fields)
        else:
            form = Form.of(request)
            fields = msgspec.convert({name: form[name] for name in form}, _Fields)
    except Reject as reject:
        raise _Refused(400, f"Invalid request: {reject.reason}") from None
    except msgspec.ValidationError as error:
        raise _Refused(400, f"Invalid request: {error}") from None
    except NOT_JSON:
        raise _Refused(400, "Invalid JSON format") from None
    if not fields.q:
        raise _Refused(400, "Invalid request: missing q parameter")
    if len(fields.texts()) > TEXTS_LIMIT:
        raise _Refused(400, f"Invalid request: more than {TEXTS_LIMIT} texts")
    return fields


def _percent(confidence: float) -> float:
    return round(100 * confidence, 1)


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        msgspec.json.encode(content),
        status=status,
        content_type="application/json",
        headers=headers,
    )


def _error(refused: _Refused) -> Response:
    headers = (
        {"retry-after": str(max(1, round(refused.retry_after_s)))}
        if refused.retry_after_s is not None
        else None
    )
    return _json({"error": refused.words}, refused.status, headers)
