"""Answers from files: whole or in parts, or the news that nothing has changed.

Which file it is has been decided (see `static`); its bytes go from the disk to the socket.
"""

import os
import secrets
from collections.abc import Mapping
from os import PathLike

from hubbub._core import OpenFile, Request
from hubbub.errors import Misuse, Reject
from hubbub.http.conditional import etag, evaluate, is_range_wanted, last_modified
from hubbub.http.content_types import content_type as type_of
from hubbub.http.ranges import Unsatisfiable, parts
from hubbub.http.response import NOSNIFF, BaseResponse, Encoded, Fields, Part


class FileResponse(BaseResponse):
    """An answer from a file: parts of it on request, and 304 where the client has it already.

    Args:
        path: Where it is. Trusted: for names that come from a request, `App.static` is made.
        status: The HTTP status.
        headers: More header fields.
        content_type: What it is; else by the file's name.
        download_as: Under which name the browser shall save it instead of showing it.

    Raises:
        Reject: 404: there is no such file.
    """

    __slots__ = ("file",)

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
        download_as: str | None = None,
    ) -> None:
        try:
            self.file = OpenFile(path)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError, ValueError):
            raise Reject(404) from None
        super().__init__(status, headers, content_type or type_of(os.fspath(path)))
        if download_as is not None:
            self.headers.append(("content-disposition", _attachment(download_as)))

    def answer(self, request: Request) -> Encoded:
        """Status, fields, and which bytes of the file."""
        tag = etag(self.file)
        fields = [
            *self.fields(request),
            ("etag", tag),
            ("last-modified", last_modified(self.file)),
            ("accept-ranges", "bytes"),
        ]
        if self.status != 200:
            return self.status, fields, [(self.file, 0, self.file.size)]
        return file_answer(self.file, request, fields, tag)


def file_answer(file: OpenFile, request: Request, fields: Fields, tag: str) -> Encoded:
    """The answer to a GET or HEAD for a file.

    Args:
        file: The open file.
        request: Who asks, on which conditions, for which part.
        fields: All that a 200 would say; the first of them is the content type.
        tag: The entity tag among them.
    """
    modified_s = file.modified_ns // 1_000_000_000
    headers = request.headers
    verdict = evaluate(request, tag, modified_s)
    if verdict == 304:
        # RFC 9110 §15.4.5: what describes the content stays away; the client has it already.
        return 304, [field for field in fields if not field[0].startswith("content-")], b""
    if verdict == 412:
        return 412, [NOSNIFF], b""
    wanted = headers.get("range") if request.method == "GET" else None
    if wanted is not None and is_range_wanted(request, tag, modified_s):
        try:
            found = parts(wanted, file.size)
        except Unsatisfiable:
            return 416, [("content-range", f"bytes */{file.size}"), NOSNIFF], b""
        if found is not None:
            return _partial(file, fields, found)
    return 200, fields, [(file, 0, file.size)]


def _partial(file: OpenFile, fields: Fields, found: list[tuple[int, int]]) -> Encoded:
    def content_range(start: int, length: int) -> str:
        return f"bytes {start}-{start + length - 1}/{file.size}"

    if len(found) == 1:
        start, length = found[0]
        return (
            206,
            [*fields, ("content-range", content_range(start, length))],
            [(file, start, length)],
        )
    boundary = secrets.token_hex(16)
    body: list[Part] = []
    for start, length in found:
        head = (
            f"\r\n--{boundary}\r\ncontent-type: {fields[0][1]}\r\n"
            f"content-range: {content_range(start, length)}\r\n\r\n"
        )
        body += [head.encode("latin-1"), (file, start, length)]
    body.append(f"\r\n--{boundary}--\r\n".encode())
    kind = ("content-type", f"multipart/byteranges; boundary={boundary}")
    return 206, [kind, *fields[1:]], body


def _attachment(name: str) -> str:
    """RFC 6266, with the name once in ASCII for those who know no better."""
    if not name.isprintable():
        raise Misuse(f"not a name for a file: {name!r}")
    plain = "".join(c if c.isascii() and c not in '"\\%/' else "_" for c in name)
    encoded = "".join(
        chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"%{byte:02X}"
        for byte in name.encode()
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
