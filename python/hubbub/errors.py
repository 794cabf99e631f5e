"""Every exception of Hubbub: who is guilty, and the fields that tell what happened.

    HubbubError
    ├── Violation               the peer broke the rules             code, reason
    │   └── InvalidMessage      not a message of this channel        code, reason, payload
    ├── Misuse                  the caller did                       (a programming mistake)
    ├── Failure                 the world did
    │   ├── BadCertificate      a file of TLS cannot be used         path, reason
    │   ├── CannotListen        an address cannot be bound           address (an OSError, too)
    │   ├── ConnectionClosed    nothing more will arrive             code, reason
    │   ├── ModuleFailed        an application module cannot run     module, reason
    │   ├── HandshakeRejected   a server answered other than 101     status, headers, body
    │   └── HandshakeTimeout    a server did not answer in time      (a TimeoutError, too)
    └── Reject                  raised by the application to refuse  status, reason, headers

The native module looks these classes up once, at its import. Knows nothing of the rest of the
package.
"""

from collections.abc import Iterable, Mapping

__all__ = [
    "BadCertificate",
    "CannotListen",
    "ConnectionClosed",
    "Failure",
    "HandshakeRejected",
    "HandshakeTimeout",
    "HubbubError",
    "InvalidMessage",
    "Misuse",
    "ModuleFailed",
    "Reject",
    "Violation",
]

Fields = tuple[tuple[str, str], ...]
"""Header fields in their order: names may repeat."""


class HubbubError(Exception):
    """Root of the tree."""


class Violation(HubbubError):
    """The peer broke the protocol; the connection is closed with `code`.

    Attributes:
        reason: What was wrong, fit to be sent to the peer.
        code: The close code (RFC 6455 §7.4.1).
    """

    def __init__(self, reason: str, code: int = 1002) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class InvalidMessage(Violation):
    """What arrived on a channel is not JSON (1007), or none of the channel's messages (1008).

    Attributes:
        payload: The message as it came.
    """

    def __init__(self, reason: str, code: int, payload: str | bytes) -> None:
        super().__init__(reason, code)
        self.payload = payload


class Misuse(HubbubError):
    """The program asked for something that cannot be: its author has to change it."""


class Failure(HubbubError):
    """The world did not go along: a peer left, a resource was missing."""


class BadCertificate(Failure):
    """A certificate, a key or an authority cannot be used.

    Attributes:
        path: The file.
        reason: What is wrong with it.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class CannotListen(Failure, OSError):
    """An address cannot be bound.

    Attributes:
        address: Which, as the engine spells it: "tcp://127.0.0.1:80".
    """

    def __init__(self, address: str, cause: OSError) -> None:
        super().__init__(cause.errno, cause.strerror or str(cause))
        self.address = address

    def __str__(self) -> str:
        """Address and reason."""
        return f"cannot listen on {self.address}: {self.strerror}"


class ModuleFailed(Failure):
    """An application module cannot be imported, configured or started.

    The exception that was the reason, if there was one, is its `__cause__`.

    Attributes:
        module: Its name.
        reason: What went wrong, in one line.
        key: The key of its configuration that is wrong, if one is: ("languages", 0).
    """

    def __init__(self, module: str, reason: str, key: tuple[str | int, ...] = ()) -> None:
        super().__init__(f"{module}: {reason}" if module else reason)
        self.module = module
        self.reason = reason
        self.key = key


class ConnectionClosed(Failure):
    """The connection is closed and everything that had arrived was received.

    Attributes:
        code: The close code; 1005 when the peer gave none, 1006 when it vanished.
        reason: The words that came along.
    """

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        super().__init__(f"closed: {code or 1006}" + (f" {reason}" if reason else ""))
        self.code = code
        self.reason = reason


class HandshakeRejected(Failure):
    """The server answered the opening handshake with something other than a valid 101.

    Attributes:
        status: The HTTP status.
        headers: The header fields of the answer.
        body: The beginning of its body.
    """

    def __init__(
        self, status: int, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> None:
        super().__init__(f"handshake rejected: {status}")
        self.status = status
        self.headers: Fields = tuple(headers)
        self.body = body


class HandshakeTimeout(Failure, TimeoutError):
    """The opening handshake did not end in time."""

    def __init__(self, reason: str = "handshake timed out") -> None:
        super().__init__(reason)


class Reject(HubbubError):
    """Raise it in `auth` or a request handler to answer with an HTTP status instead.

    Attributes:
        status: The HTTP status, 300 to 599.
        reason: The body of the answer; empty: the status' own words.
        headers: More header fields, e.g. ``{"www-authenticate": "Bearer"}``.
    """

    def __init__(
        self,
        status: int = 403,
        reason: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if not 300 <= status <= 599:
            raise Misuse(f"not a status to refuse with: {status}")
        # Whatever it is said to be: where it is raised is where it can be mended.
        texts: tuple[object, ...] = (reason, *(headers or {}), *(headers or {}).values())
        for text in texts:
            if not isinstance(text, str):
                raise Misuse(f"a refusal is told in texts, not by {text!r}")
        super().__init__(f"{status} {reason}".rstrip())
        self.status = status
        self.reason = reason
        self.headers: Fields = tuple((headers or {}).items())
