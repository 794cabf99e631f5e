"""A running server, as the commands beside it find and ask it: over its admin listener.

What is asked and how the answer is shown is each command's own.
"""

import http.client
import json
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec
from cyclopts import Parameter

from hubbub.admin.place import Place, default_path, place_of
from hubbub.cli import configuration
from hubbub.cli.mistake import FAILED, Mistake
from hubbub.cli.options import ConfigurationFile
from hubbub.config.bind import Tcp, Unix, parse_bind
from hubbub.errors import Misuse

ADMIN_VARIABLE = "HUBBUB_ADMIN"
TOKEN_VARIABLE = "HUBBUB_ADMIN_TOKEN"  # noqa: S105 - the name of one

AdminPlace: TypeAlias = Annotated[
    str | None,
    Parameter(
        name="--admin",
        help=(
            "Where the server's admin listener is, HOST:PORT or unix:PATH. Without it:"
            f" {ADMIN_VARIABLE}, the configuration's admin.bind, its usual place."
        ),
        metavar="BIND",
    ),
]
"""What every command beside a server takes; a token comes from the environment."""

TIMEOUT_S = 5.0
"""How long an answer may take that needs no work."""


class _Failed(msgspec.Struct):
    error: str


class Unreachable(Mistake):
    """No server answers there."""


class Remote:
    """The admin listener of a server."""

    def __init__(self, place: Place) -> None:
        """Prepares it.

        Args:
            place: Where it is, and what to bring.

        Raises:
            Mistake: It is no place to ask at.
        """
        try:
            self._where = parse_bind(place.bind)
        except ValueError as error:
            raise Mistake(f"--admin: {error}") from None
        if not isinstance(self._where, Tcp | Unix):
            raise Mistake(f"--admin: expected HOST:PORT or unix:PATH: {place.bind}")
        self._place = place

    @property
    def name(self) -> str:
        """For messages."""
        return self._place.bind

    @property
    def token(self) -> str:
        """What it brings."""
        return self._place.token

    def get(self, target: str) -> Any:
        """Asks for a page of JSON.

        Raises:
            Unreachable: Nobody answers.
            Mistake: The answer is a refusal.
        """
        status, body = self.ask("GET", target)
        if status != 200:
            raise Mistake(f"{self.name}: {_reason(status, body)}", FAILED)
        return json.loads(body)

    def post(self, target: str, given: object = None, *, timeout_s: float) -> Any:
        """Gives a command.

        Args:
            target: Which.
            given: What goes with it, as JSON; None: nothing.
            timeout_s: How long it may take.

        Raises:
            Unreachable: Nobody answers.
            Mistake: It failed; with the server's own words.
        """
        status, body = self.ask("POST", target, timeout_s, given)
        if status != 200:
            raise Mistake(_reason(status, body), FAILED)
        return json.loads(body or b"null")

    def ask(
        self, method: str, target: str, timeout_s: float = TIMEOUT_S, given: object = None
    ) -> tuple[int, bytes]:
        """Sends one request.

        Returns:
            The status and the answer.

        Raises:
            Unreachable: Nobody answers.
        """
        fields = {"connection": "close"}
        if self._place.token:
            fields["authorization"] = f"Bearer {self._place.token}"
        body = None
        if given is not None:
            fields["content-type"] = "application/json"
            body = json.dumps(given)
        connection = self._connection(timeout_s)
        try:
            connection.request(method, target, body, fields)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(self._unreachable(error), FAILED) from None
        finally:
            connection.close()
        return response.status, answer

    def _connection(self, timeout_s: float) -> http.client.HTTPConnection:
        match self._where:
            case Unix(path):
                return _UnixConnection(path, timeout_s)
            case Tcp(host, port):
                return http.client.HTTPConnection(host, port, timeout=timeout_s)
            case _:
                raise AssertionError("looked at when it was made")

    def _unreachable(self, error: Exception) -> str:
        match error:
            case FileNotFoundError() | ConnectionRefusedError():
                hint = "is a server running there? --admin says where else to look"
            case PermissionError():
                hint = "only its owner may ask"
            case TimeoutError():
                hint = "it did not answer in time"
            case _:
                hint = str(error) or type(error).__name__
        return f"no server answers at {self.name}: {hint}"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def find(
    admin: str | None,
    config: ConfigurationFile = None,
    environment: Mapping[str, str] = os.environ,
) -> Remote:
    """The server that is meant.

    Args:
        admin: What the flag says.
        config: The configuration of that server, of which only [admin] and [storage] count.
        environment: What may say so otherwise.

    Raises:
        Mistake: The configuration cannot be read, or says that there is no admin listener.
    """
    token = environment.get(TOKEN_VARIABLE, "")
    if given := admin or environment.get(ADMIN_VARIABLE):
        return Remote(Place(given, token))
    settings, told = configuration.read_place(config, environment)
    if token:
        settings = replace(settings, token=token, token_file="")
    try:
        place = place_of(settings, told.path)
    except Misuse as error:
        raise Mistake(str(error)) from None
    if place is None:
        by = config or "the environment"
        raise Mistake(f"{by}: the server has no admin listener: admin.bind is off")
    if settings.address:
        return Remote(place)
    return Remote(Place(f"unix:{_present(told.path, environment)}", place.token))


def _present(storage: str, environment: Mapping[str, str]) -> Path:
    """The usual place; another one that exists, if that does not: the server's environment counts.

    A unit of systemd has its own runtime directory, which a person's shell does not know.
    """
    usual = default_path(storage, environment)
    others = (default_path(storage, {}), Path("/run/hubbub/admin.sock"))
    return next((path for path in (usual, *others) if path.exists()), usual)


def _reason(status: int, body: bytes) -> str:
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(body, type=_Failed).error
    if status == 401:
        return f"a token is needed, and that of {TOKEN_VARIABLE} is not the one"
    if status == 404:
        return "the server knows no such command, or nothing of that name"
    text = body.decode(errors="replace").strip()
    return f"the server answered {status}: {text}" if text else f"the server answered {status}"
