"""Forms: what a browser sends when somebody presses a button, with its files, within bounds.

Taking multipart bodies apart is `multipart`'s work; everything is in memory, so the body limit of
the route bounds it. Whole uploads that are larger than that are streamed: see `Request.stream`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar, cast
from urllib.parse import unquote_plus

import msgspec
import multipart
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from hubbub._core import Request
from hubbub.errors import Reject

T = TypeVar("T")

FIELD_LIMIT = 1000
"""Most fields in one form: beyond it a form is an attack on whoever loops over it."""

_PART_HEAD_LIMIT_BYTES = 4096
_PART_FIELD_LIMIT = 8


@dataclass(frozen=True)
class Upload:
    """A file in a form."""

    name: str
    """What the client calls it; never a path to open."""

    content_type: str
    """What the client says it is."""

    content: bytes
    """What is in it."""


class Form:
    """The fields of a form, in the order they came; of a repeated name the last counts."""

    __slots__ = ("_fields", "_files", "files")

    def __init__(self, fields: list[tuple[str, str]], files: list[tuple[str, Upload]]) -> None:
        self._fields = fields
        self._files = files
        self.files: dict[str, Upload] = dict(files)
        """The files, by field; of several in one the last: see `get_files`."""

    def __getitem__(self, name: str) -> str:
        """The value of a field.

        Raises:
            KeyError: There is none.
        """
        for known, value in reversed(self._fields):
            if known == name:
                return value
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        """Whether there is such a field."""
        return any(known == name for known, _ in self._fields)

    def __iter__(self) -> Iterator[str]:
        """The names, each once."""
        return iter(dict(self._fields))

    def __len__(self) -> int:
        """How many names there are."""
        return len(dict(self._fields))

    def get(self, name: str, default: str = "") -> str:
        """The value of a field, or the default."""
        try:
            return self[name]
        except KeyError:
            return default

    def get_all(self, name: str) -> list[str]:
        """Every value of a field, such as the ticked boxes of one name."""
        return [value for known, value in self._fields if known == name]

    def get_files(self, name: str) -> list[Upload]:
        """Every file of a field, as `<input type="file" multiple>` sends them."""
        return [file for known, file in self._files if known == name]

    def to(self, kind: type[T]) -> T:
        """The fields as a Struct or dataclass, converted by its annotations.

        Raises:
            Reject: 422, with the name of the field that does not fit.
        """
        try:
            return msgspec.convert(dict(self._fields), kind, strict=False)
        except msgspec.ValidationError as error:
            raise Reject(422, f"form: {error}") from None

    @classmethod
    def of(cls, request: Request) -> "Form":
        """The form in a request's body.

        Raises:
            Reject: 415: there is none; 400: it is malformed; 413: it has too many fields.
        """
        kind, parameters = _content_type(request.headers.get("content-type", ""))
        if kind == "application/x-www-form-urlencoded":
            return cls(_urlencoded(request.body), [])
        if kind == "multipart/form-data" and parameters.get("boundary"):
            return cls(*_multipart(request.body, parameters["boundary"]))
        raise Reject(415, "expected a form")


def _content_type(field: str) -> tuple[str, dict[str, str]]:
    parse = cast("Callable[[str], tuple[str, dict[str, str]]]", multipart.parse_options_header)
    return parse(field)


def _urlencoded(body: bytes) -> list[tuple[str, str]]:
    try:
        text = body.decode()
        pairs = text.split("&") if text else []
        if len(pairs) > FIELD_LIMIT:
            raise Reject(413, "form: too many fields")
        split = (pair.partition("=") for pair in pairs if pair)
        return [
            (unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict"))
            for name, _, value in split
        ]
    except UnicodeDecodeError:
        raise Reject(400, "form: not UTF-8") from None


def _multipart(
    body: bytes, boundary: str
) -> tuple[list[tuple[str, str]], list[tuple[str, Upload]]]:
    fields: list[tuple[str, str]] = []
    files: list[tuple[str, Upload]] = []
    part: MultipartSegment | None = None
    content: list[bytes] = []
    try:
        with PushMultipartParser(
            boundary,
            max_header_size=_PART_HEAD_LIMIT_BYTES,
            max_header_count=_PART_FIELD_LIMIT,
            max_segment_count=FIELD_LIMIT,
            strict=True,
        ) as parser:
            for event in [*parser.parse(body), *parser.parse(b"")]:
                if isinstance(event, MultipartSegment):
                    part, content = event, []
                elif event is not None:
                    content.append(bytes(event))
                elif part is not None and part.name is not None:
                    _keep(part.name, part, b"".join(content), fields, files)
    except (MultipartError, ValueError) as error:
        raise Reject(400, f"form: {error}") from None
    return fields, files


def _keep(
    field: str,
    part: MultipartSegment,
    content: bytes,
    fields: list[tuple[str, str]],
    files: list[tuple[str, Upload]],
) -> None:
    if part.filename is None:
        fields.append((field, content.decode()))
        return
    # Old browsers sent whole paths; nobody needs them.
    name = part.filename.replace("\\", "/").rpartition("/")[2]
    files.append((field, Upload(name, part.content_type or "application/octet-stream", content)))
