"""Path and query parameters: read from a handler's annotations once, converted per request.

Pure: signatures and strings in, keyword arguments out. Conversion and constraints are msgspec's,
so `Annotated[int, Meta(ge=0)]` works. What a signature cannot mean is a `Misuse` at decoration
time; what a request cannot mean is a `Reject`: 404 for the path, 400 for the query and for a body
that is no JSON, 422 for one that is not of its type.
"""

import inspect
import math
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, NewType, Union, get_args, get_origin

import msgspec
from msgspec.inspect import (
    BoolType,
    DateTimeType,
    DateType,
    DecimalType,
    EnumType,
    FloatType,
    IntType,
    LiteralType,
    StrType,
    StructType,
    TimeDeltaType,
    TimeType,
    UUIDType,
)

from hubbub._core import Request
from hubbub.errors import Misuse, Reject
from hubbub.forms import Form

Source = Literal["path", "query", "body"]

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes of a stranger's that are no JSON, or not of the type."""

_SCALARS = (
    BoolType, DateTimeType, DateType, DecimalType, EnumType, FloatType, IntType, LiteralType,
    StrType, TimeDeltaType, TimeType, UUIDType,
)  # fmt: skip


@dataclass(frozen=True)
class Parameter:
    """One argument that a request brings along."""

    name: str
    source: Source
    kind: Any
    """What the value is converted to; `str` needs no conversion."""

    default: Any
    """What holds when it is absent; `Parameter.empty`: it must be there."""

    empty = inspect.Parameter.empty

    def convert(self, text: str) -> Any:
        """The value of a text.

        Raises:
            Reject: It has none: 404 in the path, where the page does not exist; else 400.
        """
        if self.kind is str:
            return text
        try:
            value = msgspec.convert(text, self.kind, strict=False)
        except (msgspec.ValidationError, ValueError) as error:
            raise self._refusal(str(error)) from None
        if (isinstance(value, float) and not math.isfinite(value)) or (
            isinstance(value, Decimal) and not value.is_finite()
        ):
            raise self._refusal("Expected a finite number")
        return value

    def _refusal(self, why: str) -> Reject:
        if self.source == "path":
            return Reject(404)
        return Reject(400, f"{self.source} parameter {self.name}: {why[:1].lower()}{why[1:]}")


class Parameters:
    """All arguments of one handler beyond its first (`ws` or `req`).

    Args:
        handler: Whose signature is read.
        path_names: The names in its route's pattern.
        body: Whether an argument may be a Struct, read from a JSON body, or a `Form`.

    Raises:
        Misuse: The signature asks for what no request can bring.
    """

    def __init__(
        self, handler: Callable[..., Any], path_names: tuple[str, ...], *, body: bool = False
    ) -> None:
        first, *others = _signature(handler)
        if first.kind not in (first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD):
            raise Misuse(f"{name_of(handler)}: the first argument is not positional: {first.name}")
        self._all = tuple(_parameter(handler, one, path_names, body) for one in others)
        self._reads_path = any(one.source == "path" for one in self._all)
        self._reads_query = any(one.source == "query" for one in self._all)
        if sum(one.source == "body" for one in self._all) > 1:
            raise Misuse(f"{name_of(handler)}: a request has one body, not two")

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._all)

    def resolve(self, request: Request) -> dict[str, Any]:
        """The keyword arguments for one request.

        Raises:
            Reject: A value is missing or not of its type.
        """
        arguments: dict[str, Any] = {}
        path: Mapping[str, str] = request.params if self._reads_path else {}
        query: Mapping[str, str] = request.query if self._reads_query else {}
        for one in self._all:
            if one.source == "body":
                arguments[one.name] = _decode_body(one, request)
                continue
            text = (path if one.source == "path" else query).get(one.name)
            if text is not None:
                arguments[one.name] = one.convert(text)
            elif one.default is not Parameter.empty:
                arguments[one.name] = one.default
            else:
                raise Reject(400, f"query parameter {one.name}: missing")
        return arguments


def annotation(handler: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """A parameter's annotation, evaluated if it is written as a string.

    Each on its own, so that names imported for the type checker alone do no harm elsewhere.

    Raises:
        Misuse: It cannot be evaluated.
    """
    return _evaluated(handler, parameter.annotation, parameter.name)


def returned(handler: Callable[..., Any]) -> Any:
    """The annotation of what a handler returns, likewise; `inspect.Parameter.empty`: none.

    Raises:
        Misuse: It cannot be evaluated.
    """
    return _evaluated(handler, inspect.signature(handler).return_annotation, "what it returns")


def _evaluated(handler: Callable[..., Any], written: Any, of: str) -> Any:
    if not isinstance(written, str):
        return written
    function = inspect.unwrap(handler)
    try:
        return eval(written, getattr(function, "__globals__", {}))  # noqa: S307 - the author's own
    except Exception as error:
        raise Misuse(
            f"{name_of(handler)}: cannot evaluate the annotation of {of}: {error}"
        ) from error


def arguments(handler: Callable[..., Any], count: int, example: str) -> list[inspect.Parameter]:
    """The parameters of a handler that takes exactly so many.

    Raises:
        Misuse: It takes others.
    """
    parameters = _signature(handler)
    needed = [one for one in parameters if one.default is one.empty]
    if (
        len(needed) > count
        or len(parameters) < count
        or any(one.kind not in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) for one in needed)
    ):
        raise Misuse(f"{name_of(handler)}: expected {example}")
    return parameters[:count]


def _signature(handler: Callable[..., Any]) -> list[inspect.Parameter]:
    if not callable(handler):
        raise Misuse(f"not a function: {handler!r}")
    parameters = list(inspect.signature(handler).parameters.values())
    if not parameters:
        raise Misuse(f"{name_of(handler)}: takes no argument")
    return parameters


def _parameter(
    handler: Callable[..., Any],
    parameter: inspect.Parameter,
    path_names: tuple[str, ...],
    body: bool,
) -> Parameter:
    where = f"{name_of(handler)}: {parameter.name}"
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise Misuse(f"{where}: name each parameter, a request cannot fill *args or **kwargs")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise Misuse(f"{where}: is passed by name, so it must not be positional-only")
    kind = annotation(handler, parameter)
    default = parameter.default
    if kind is parameter.empty:
        kind = str
    kind, optional = _without_none(kind)
    source: Source = "path" if parameter.name in path_names else "query"
    if kind is Form and body:
        return Parameter(parameter.name, "body", kind, default)
    try:
        info = msgspec.inspect.type_info(kind)
    except TypeError as error:
        raise Misuse(f"{where}: {error}") from None
    if isinstance(info, StructType) and body and source == "query":
        source = "body"
    elif not isinstance(info, _SCALARS):
        raise Misuse(f"{where}: a {source} parameter cannot be {_spelling(kind)}")
    if optional and default is parameter.empty and source != "path":
        default = None
    return Parameter(parameter.name, source, kind, default)


def _without_none(kind: Any) -> tuple[Any, bool]:
    """`int | None` → `int`, True. The text "null" shall not mean None, so msgspec never sees it."""
    while isinstance(kind, NewType):
        kind = kind.__supertype__
    if get_origin(kind) not in (Union, types.UnionType):
        return kind, False
    members = [member for member in get_args(kind) if member is not type(None)]
    if len(members) < len(get_args(kind)) and len(members) == 1:
        return members[0], True
    return kind, False


def _decode_body(parameter: Parameter, request: Request) -> Any:
    body = request.body
    if not body and parameter.default is not Parameter.empty:
        return parameter.default
    if parameter.kind is Form:
        return Form.of(request)
    if not _is_json(request):
        raise Reject(415, "expected JSON")
    try:
        return msgspec.json.decode(body, type=parameter.kind)
    except msgspec.ValidationError as error:
        raise Reject(422, f"body: {error}") from None
    except NOT_JSON as error:
        raise Reject(400, f"body: {error}") from None


def _is_json(request: Request) -> bool:
    """Whether the body may be read as JSON.

    A foreign page can post anything that calls itself text, or nothing, without asking first
    (Fetch §2.2.2); what calls itself JSON it cannot. Who is no page may leave it out.
    """
    field = request.headers.get("content-type")
    if field is None:
        return "origin" not in request.headers
    kind = field.partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


def name_of(handler: Callable[..., Any]) -> str:
    """What to call a handler in a message to its author."""
    return getattr(handler, "__qualname__", repr(handler))


def _spelling(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind)
