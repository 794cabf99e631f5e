"""The tree of exceptions: guilt, fields, text."""

import errno

import pytest

from hubbub import errors
from hubbub.errors import (
    CannotListen,
    ConnectionClosed,
    Failure,
    HandshakeRejected,
    HandshakeTimeout,
    HubbubError,
    InvalidMessage,
    Misuse,
    Reject,
    Violation,
)


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn: dict[str, str] = {}
    parents: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        trunk, _, rest = line.partition("── ")
        name = (rest or line).split()[0] if line.strip() else ""
        if name not in errors.__all__:
            continue
        depth = 0 if not rest else (len(trunk) - 5) // 4 + 1
        del parents[depth:]
        drawn[name] = parents[-1] if parents else "Exception"
        parents.append(name)
    real = {name: getattr(errors, name).__bases__[0].__name__ for name in errors.__all__}
    assert drawn == real


def test_everything_of_ours_is_caught_at_the_root() -> None:
    assert all(issubclass(getattr(errors, name), HubbubError) for name in errors.__all__)


def test_fields() -> None:
    violation = InvalidMessage("not JSON", 1007, "{")
    assert (violation.code, violation.reason, violation.payload) == (1007, "not JSON", "{")
    assert Violation("bad frame").code == 1002
    closed = ConnectionClosed(4000, "enough")
    assert (closed.code, closed.reason, str(closed)) == (4000, "enough", "closed: 4000 enough")
    rejected = HandshakeRejected(404, [("server", "x")], b"no")
    assert (rejected.status, rejected.headers, rejected.body) == (404, (("server", "x"),), b"no")
    assert str(rejected) == "handshake rejected: 404"


def test_they_are_what_else_they_are() -> None:
    assert issubclass(HandshakeTimeout, TimeoutError)
    failure = CannotListen("tcp://[::]:80", PermissionError(errno.EACCES, "Permission denied"))
    assert isinstance(failure, OSError)
    assert isinstance(failure, Failure)
    assert failure.errno == errno.EACCES
    assert str(failure) == "cannot listen on tcp://[::]:80: Permission denied"


def test_reject() -> None:
    reject = Reject(401, "who are you?", {"www-authenticate": "Bearer"})
    assert (reject.status, reject.reason) == (401, "who are you?")
    assert reject.headers == (("www-authenticate", "Bearer"),)
    assert Reject().status == 403


@pytest.mark.parametrize("status", [101, 200, 299, 600, -1])
def test_one_does_not_refuse_with_a_yes(status: int) -> None:
    with pytest.raises(Misuse, match="not a status to refuse with"):
        Reject(status)
