"""Every system call of a serving server fails once with every error it may give (R2).

strace makes the n-th call of its kind fail, in a server that talks to four clients at the time; it
is attached only when the server listens, so starting is not what is tested. Left out is what a
correct program cannot get (EBADF, ENOTSOCK; EFAULT and EINVAL of epoll_wait).
"""

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..programs import program
from ..wire import (
    BINARY,
    TEXT,
    close_frame,
    frame,
    open_websocket,
    receive_all,
    receive_frame,
)
from .conftest import Attack
from .figures import Figures
from .victim import Victim

pytestmark = pytest.mark.torture

SENDING = (
    "EACCES EAGAIN ECONNRESET EDESTADDRREQ EHOSTUNREACH EINTR EINVAL EIO EMSGSIZE ENETDOWN "
    "ENETUNREACH ENOBUFS ENOMEM ENOTCONN EPERM EPIPE ETIMEDOUT"
)
ERRORS = {
    "accept4": (
        "EAGAIN ECONNABORTED EHOSTDOWN EHOSTUNREACH EINTR EMFILE ENETDOWN ENETUNREACH ENFILE "
        "ENOBUFS ENOMEM ENONET ENOPROTOOPT ENOSR EOPNOTSUPP EPERM EPROTO ETIMEDOUT"
    ),
    "recvfrom": "EAGAIN ECONNREFUSED ECONNRESET EFAULT EHOSTUNREACH EINTR EIO ENOMEM ENOTCONN "
    "ETIMEDOUT",
    "sendto": SENDING,
    "sendmsg": SENDING,
    "shutdown": "ENOTCONN",
    "close": "EDQUOT EINTR EIO ENOSPC",
    "epoll_ctl": "EEXIST ELOOP ENOENT ENOMEM ENOSPC EPERM",
    "epoll_pwait": "EINTR",
    "brk": "ENOMEM",
    "mmap": "EAGAIN ENOMEM",
    "mremap": "ENOMEM",
    "munmap": "ENOMEM",
    "madvise": "EAGAIN ENOMEM",
}
NTH = (1, 2, 3, 5, 8, 13, 21, 34)
CLIENTS = 4
LARGE = frame(BINARY, bytes(200_000))


@contextmanager
def failing(victim: Victim, *faults: str) -> Iterator[Path]:
    """Makes calls fail as strace's `inject=` describes it; yields the trace."""
    strace = program("strace", "strace")
    injected = [part for fault in faults for part in ("-e", f"inject={fault}")]
    calls = ",".join(fault.partition(":")[0] for fault in faults)
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace")
        command = (strace, "-f", "-qq", "-o", trace, "-e", f"trace={calls}", *injected)
        tracer = subprocess.Popen((*command, "-p", str(victim.pid)))
        status = Path(f"/proc/{victim.pid}/status")
        try:
            while re.search(r"TracerPid:\s+0$", status.read_text(), re.MULTILINE):
                assert tracer.poll() is None, "strace may not attach here"
                time.sleep(0.002)
            yield trace
        finally:
            tracer.terminate()
            tracer.wait()


def hurt(victim: Victim) -> int:
    """Talks with the server on a few connections; how many of them were cut short."""
    failed = 0
    for _ in range(CLIENTS):
        try:
            with open_websocket(victim.address) as one:
                one.sendall(frame(TEXT, b"small"))
                assert receive_frame(one).payload == b"small"
                one.sendall(LARGE)
                assert len(receive_frame(one).payload) == 200_000
                one.sendall(close_frame(1000))
                receive_all(one)
        except TimeoutError:
            raise
        except (OSError, EOFError):
            failed += 1
    return failed


def test_every_call_may_fail(attack: Attack, figures: Figures) -> None:
    """R2: one connection at most is the price of one failure, and no descriptor is lost."""
    victim = attack()
    assert hurt(victim) == 0
    victim.wait_quiet()
    descriptors = victim.descriptors()
    injected = unclosed = dead = 0
    for call, errors in ERRORS.items():
        for error in errors.split():
            for nth in NTH:
                with failing(victim, f"{call}:error={error}:when={nth}") as trace:
                    failed = hurt(victim)
                    happened = "(INJECTED)" in trace.read_text()
                assert failed <= happened, (call, error, nth)
                assert victim.is_alive(), (call, error, nth)
                injected += happened
                dead += failed
                # A close(2) that never happened leaves a descriptor with whoever prevented it.
                unclosed += happened and call == "close"
    victim.wait_quiet()
    lost = victim.descriptors() - descriptors - unclosed
    ways = sum(len(errors.split()) for errors in ERRORS.values())
    figures.note(
        "R2",
        f"{len(ERRORS)} calls, {ways} errors of theirs, {injected} failures: {dead} connections "
        f"ended, no other hurt, {lost} descriptors lost",
    )
    assert lost == 0
    assert hurt(victim) == 0


def test_no_descriptor_and_none_to_spare(attack: Attack) -> None:
    """R2 meets R1: accepting fails for want of descriptors, and so does getting the spare one."""
    victim = attack()
    descriptors = victim.descriptors()
    with failing(victim, "accept4:error=EMFILE:when=1", "openat:error=EMFILE:when=1..3"):
        assert hurt(victim) <= CLIENTS
    victim.wait_quiet()
    assert victim.descriptors() == descriptors
    assert hurt(victim) == 0
