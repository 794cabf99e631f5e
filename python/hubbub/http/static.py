"""Files below a directory, as a browser wants them: cached, compressed, and never one too many.

The engine opens them so that no path and no link leads out (see `Directory`); here it is decided
what a name means, what may be seen and what is said with it.
"""

import re
import zlib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from os import PathLike
from pathlib import Path
from urllib.parse import quote

from hubbub._core import Directory, OpenFile, Request
from hubbub.errors import Misuse
from hubbub.http.compression import MINIMUM_BYTES, VARY, accepts, is_compressible
from hubbub.http.conditional import etag, last_modified
from hubbub.http.content_types import content_type
from hubbub.http.files import file_answer
from hubbub.http.response import HTML, NOSNIFF, Encoded, Fields, Response, encode_error, merged

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""A page and what lies beside it; nothing foreign, and no script that stands in the page."""

_TWINS = (("br", ".br"), ("gzip", ".gz"))
_HASH = re.compile(r"[.-]([0-9A-Za-z_]{8,})\.[0-9a-z.]+$")
_DIGITS = re.compile(r"[0-9]+")
_PACK_LIMIT_BYTES = 256 << 10
_PACKED_LIMIT_BYTES = 16 << 20
_KNOWN_LIMIT = 4096


class Static:
    """The files below one directory.

    Args:
        directory: Where they are.
        index: What stands for a directory; empty: nothing does.
        cache_control: What clients and proxies may keep; as it is, they ask every time.
        immutable: Names with a hash in them ("app-3f2a9c1b.js") may be kept for ever; or a pattern
            of paths that have one ("assets/*"), where a tool sees to that.
        precompressed: Whether "x.js.br" and "x.js.gz" stand for "x.js".
        headers: More header fields.

    Raises:
        Misuse: There is no such directory, or the index is no name.
    """

    def __init__(
        self,
        directory: str | PathLike[str],
        *,
        index: str = "index.html",
        cache_control: str = "no-cache",
        immutable: bool | str = False,
        precompressed: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if "/" in index:
            raise Misuse(f"an index is the name of a file: {index!r}")
        try:
            self._directory = Directory(Path(directory))
        except OSError as error:
            raise Misuse(f"not a directory to serve: {directory}: {error.strerror}") from None
        self._index = index
        self._cache_control = cache_control
        self._immutable = immutable
        self._precompressed = precompressed
        self._headers = list((headers or {}).items())
        # What was said of a file, as long as it is the same file.
        self._known: dict[tuple[str, str], tuple[str, Fields]] = {}
        self._packed: dict[str, bytes] = {}
        self._packed_bytes = 0

    def answer(self, request: Request) -> Encoded:
        """The answer for the path that the route left over."""
        path = request.params.get("path", "")
        # What is hidden stays so, but for what RFC 8615 has everybody find: certbot's proofs, say.
        if any(part.startswith(".") for part in path.removeprefix(".well-known/").split("/")):
            return self._nothing(request)
        name = path
        if not path or path.endswith("/"):
            if not self._index:
                return self._nothing(request)
            name = path + self._index
        found = self._directory.open(name)
        if found is None:
            return self._nothing(request)
        if found == "directory":
            return self._go_inside(path, request)
        kind = content_type(name)
        if not is_compressible(kind):
            return self._send(found, request, name, kind, "")
        if "accept-encoding" in request.headers:
            for coding, suffix in _TWINS if self._precompressed else ():
                twin = self._directory.open(name + suffix) if accepts(coding, request) else None
                # An older twin is that of an older file.
                if isinstance(twin, OpenFile) and twin.modified_ns >= found.modified_ns:
                    return self._send(twin, request, name, kind, coding)
            if (
                MINIMUM_BYTES <= found.size <= _PACK_LIMIT_BYTES
                and "range" not in request.headers
                and accepts("gzip", request)
            ):
                return self._pack(found, request, name, kind)
        return self._send(found, request, name, kind, "")

    def _send(self, file: OpenFile, request: Request, name: str, kind: str, coding: str) -> Encoded:
        tag, fields = self._fields(file, name, kind, coding)
        return file_answer(file, request, fields, tag)

    def _fields(self, file: OpenFile, name: str, kind: str, coding: str) -> tuple[str, Fields]:
        tag = etag(file, coding)
        known = self._known.get((name, coding))
        if known is not None and known[0] == tag:
            return known
        fields: Fields = [
            ("content-type", kind),
            ("etag", tag),
            ("last-modified", last_modified(file)),
            ("cache-control", self._keep(name)),
            NOSNIFF,
        ]
        if coding:
            fields.append(("content-encoding", coding))
        if is_compressible(kind):
            fields.append(VARY)
        fields.append(("accept-ranges", "bytes"))
        if kind == HTML:
            fields.append(("content-security-policy", CONTENT_SECURITY_POLICY))
        fields = merged(fields, self._headers)
        if len(self._known) >= _KNOWN_LIMIT:
            self._known.clear()
        self._known[name, coding] = (tag, fields)
        return tag, fields

    def _keep(self, name: str) -> str:
        pattern = self._immutable
        if fnmatchcase(name, pattern) if isinstance(pattern, str) else pattern and _has_hash(name):
            return "public, max-age=31536000, immutable"
        return self._cache_control

    def _pack(self, file: OpenFile, request: Request, name: str, kind: str) -> Encoded:
        """The file compressed by us, kept for the next who asks."""
        tag = etag(file, "packed")
        packed = self._packed.get(tag)
        if packed is None:
            packer = zlib.compressobj(6, zlib.DEFLATED, 31)
            packed = packer.compress(file.read()) + packer.flush()
            if self._packed_bytes + len(packed) > _PACKED_LIMIT_BYTES:
                self._packed.clear()
                self._packed_bytes = 0
            self._packed[tag] = packed
            self._packed_bytes += len(packed)
        if len(packed) >= file.size:
            return self._send(file, request, name, kind, "")
        _, plain = self._fields(file, name, kind, "")
        fields = [
            field if field[0] != "etag" else ("etag", tag)
            for field in plain
            if field[0] != "accept-ranges"
        ]
        status, told, _ = file_answer(file, request, fields, tag)
        if status != 200:
            return status, told, b""
        return 200, [*told, ("content-encoding", "gzip")], packed

    def _go_inside(self, path: str, request: Request) -> Encoded:
        """From "docs" to "docs/", so that its relative links work; nothing where no index is."""
        inside = f"{path}/{self._index}"
        if not self._index or not isinstance(self._directory.open(inside), OpenFile):
            return self._nothing(request)
        # Relative, so that nothing of the request can lead to another host.
        location = "./" + quote(path.rpartition("/")[2]) + "/"
        query = f"?{request.query_string}" if request.query_string else ""
        return Response.redirect(location + query, status=308).answer(request)

    def _nothing(self, request: Request) -> Encoded:
        return encode_error(404, "nothing here", request)


def _has_hash(name: str) -> bool:
    """Whether the content says what a file is called, as far as can be told.

    Who takes a word for a hash keeps an old file for ever; who takes a hash for a word asks once
    too often. So it has to have digits in several places, or in the middle of mixed letters; and no
    page has one, for it is asked for by its name.
    """
    found = _HASH.search(name.rpartition("/")[2])
    if found is None or content_type(name) == HTML:
        return False
    hash_ = found[1]
    is_mixed = hash_ != hash_.lower() and hash_ != hash_.upper()
    places = len(_DIGITS.findall(hash_))
    return not hash_.isdigit() and places >= (1 if is_mixed else 2)
