"""Compression of answers on the fly: which, and for whom (RFC 9110 §8.4, §12.5.3; pure).

Files that lie there compressed already are `static`'s.
"""

import zlib

from hubbub._core import Request

MINIMUM_BYTES = 1024
"""Shorter bodies fit into a packet or two either way."""

_LEVEL = 1
_WRAPPED_AS_GZIP = 31

VARY = ("vary", "accept-encoding")


def is_compressible(content_type: str) -> bool:
    """Whether a body of this type becomes much smaller."""
    kind = content_type.partition(";")[0].strip().lower()
    return (kind.startswith("text/") and kind != "text/event-stream") or kind.endswith(
        ("json", "xml", "javascript", "/wasm", "/x-ndjson")
    )


def compressed(
    body: bytes, content_type: str, request: Request, fields: list[tuple[str, str]]
) -> tuple[bytes, list[tuple[str, str]]]:
    """The body as it goes to this client, and the fields that say so.

    Args:
        body: The whole body.
        content_type: What it is.
        request: Who asks.
        fields: The fields it has; one that says how it is encoded stands.
    """
    if len(body) < MINIMUM_BYTES or not is_compressible(content_type):
        return body, []
    if any(name.lower() == "content-encoding" for name, _ in fields):
        return body, []
    if accepts("gzip", request):
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WRAPPED_AS_GZIP)
        packed = packer.compress(body) + packer.flush()
        if len(packed) < len(body):
            return packed, [("content-encoding", "gzip"), VARY]
    return body, [VARY]


def accepts(coding: str, request: Request) -> bool:
    """Whether the client takes this content coding, by name or by `*` (RFC 9110 §12.5.3)."""
    verdict = False
    for line in request.headers.get_all("accept-encoding"):
        for element in line.split(","):
            name, *parameters = (part.strip().lower() for part in element.split(";"))
            if name not in (coding, "*"):
                continue
            weighs = not any(
                parameter.replace(" ", "") in ("q=0", "q=0.", "q=0.0", "q=0.00", "q=0.000")
                for parameter in parameters
            )
            if name == coding:
                return weighs
            verdict = weighs
    return verdict
