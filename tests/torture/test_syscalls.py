"""Every system call of a server fails once with every error it may give (R2).

strace makes the n-th call of its kind fail: in a server that talks to its clients at the time, and
in one that starts. Which calls there are was read off traces of such servers (`strace -f`, with and
without threads); `docs/reliability.md` says what is left out. Of the errors it is those that
a correct program cannot get (EBADF, ENOTSOCK; EFAULT and EINVAL of epoll_wait). Of the calls it is
brk and futex, whose failures strace cannot feign: the first tells them by the old break, and the
second must have woken whom it was to wake.
"""

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ..programs import program
from ..serving import START_TIMEOUT_S, served, serving
from ..wire import (
    BINARY,
    TEXT,
    close_frame,
    frame,
    open_websocket,
    receive_all,
    receive_frame,
)
from .conftest import APP, Attack
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
    "socket": "EACCES EAFNOSUPPORT EMFILE ENFILE ENOBUFS ENOMEM EPROTONOSUPPORT",
    "connect": (
        "EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY ECONNREFUSED EINTR "
        "ENETUNREACH EPERM EPROTOTYPE ETIMEDOUT"
    ),
    "getsockopt": "ENOPROTOOPT",
    "setsockopt": "ENOMEM ENOPROTOOPT",
    "getsockname": "ENOBUFS",
    "close": "EDQUOT EINTR EIO ENOSPC",
    "openat": "EACCES EINTR EMFILE ENFILE ENOMEM ENOSPC",
    "write": "EAGAIN EDQUOT EFBIG EINTR EIO ENOSPC EPERM EPIPE",
    "getrandom": "EAGAIN EINTR",
    "epoll_ctl": "EEXIST ELOOP ENOENT ENOMEM ENOSPC EPERM",
    "epoll_pwait": "EINTR",
    "mmap": "EAGAIN ENOMEM",
    "mremap": "ENOMEM",
    "munmap": "ENOMEM",
    "madvise": "EAGAIN ENOMEM",
    "mprotect": "ENOMEM",
}
"""What a server calls while it serves, and the errors of each after its manual page."""

STARTING = {
    "epoll_create1": "EMFILE ENFILE ENOMEM",
    "eventfd2": "EMFILE ENFILE ENODEV ENOMEM",
    "socket": "EACCES EAFNOSUPPORT EMFILE ENFILE ENOBUFS ENOMEM",
    "setsockopt": "ENOMEM ENOPROTOOPT",
    "bind": "EACCES EADDRINUSE EADDRNOTAVAIL",
    "listen": "EADDRINUSE EOPNOTSUPP",
    "getsockname": "ENOBUFS",
    "epoll_ctl": "ENOMEM ENOSPC",
}
"""The same for a server that starts: calls of ours, not of the interpreter."""

NTH = (1, 2, 3, 5, 8, 13, 21, 34)
THREADS_NTH = (1, 5, 21)
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
    try:
        failed += not relayed(victim)
    except TimeoutError:
        raise
    except (OSError, EOFError):
        failed += 1
    return failed


def relayed(victim: Victim) -> bool:
    """Has the server ask itself, as its own client."""
    with open_websocket(victim.address, f"/relays/{victim.address}") as one:
        one.sendall(frame(TEXT, b"over there"))
        return receive_frame(one).payload == b"over there"


@pytest.mark.parametrize("threads", [1, 2])
def test_every_call_may_fail(attack: Attack, figures: Figures, threads: int) -> None:
    """R2: one connection at most is the price of one failure, and no descriptor is lost."""
    victim = attack("--threads", str(threads))
    assert hurt(victim) == 0
    victim.wait_quiet()
    descriptors = victim.descriptors()
    injected = unclosed = dead = 0
    seen: set[str] = set()
    for call, errors in ERRORS.items():
        for error in errors.split():
            for nth in NTH if threads == 1 else THREADS_NTH:
                with failing(victim, f"{call}:error={error}:when={nth}") as trace:
                    failed = hurt(victim)
                    # It is counted in each thread by itself.
                    happened = trace.read_text().count("(INJECTED)")
                assert failed <= happened, (call, error, nth)
                assert victim.is_alive(), (call, error, nth)
                injected += happened
                dead += failed
                if happened:
                    seen.add(call)
                # A close(2) that never happened leaves a descriptor with whoever prevented it.
                unclosed += happened if call == "close" else 0
    victim.wait_quiet()
    # What the last failure has left in the middle of its way out gets its time.
    end = time.monotonic() + 5
    while (lost := victim.descriptors() - descriptors - unclosed) and time.monotonic() < end:
        time.sleep(0.1)
    figures.note(
        "R2",
        f"{threads} thread{'s' * (threads > 1)}: {len(seen)} of {len(ERRORS)} calls met, "
        f"{injected} failures: {dead} connections ended, no other hurt, {lost} descriptors lost",
    )
    assert lost == 0
    assert hurt(victim) == 0


def test_every_call_of_starting_may_fail(figures: Figures) -> None:
    """R2: it serves all the same, or says why not and ends; it does not hang."""
    strace = program("strace", "strace")
    served_anyway = refused = 0
    for call, errors in STARTING.items():
        for error in errors.split():
            fault = f"inject={call}:error={error}:when=1"
            wrapper = (strace, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", fault)
            began = time.monotonic()
            try:
                with serving(APP, "--threads", "2", wrapper=wrapper) as address:
                    with open_websocket(address) as one:
                        one.sendall(frame(TEXT, b"small"))
                        assert receive_frame(one).payload == b"small"
                served_anyway += 1
            except RuntimeError as error_told:
                told = str(error_told)
                assert time.monotonic() - began < START_TIMEOUT_S, (call, error, told)
                assert "hubbub: " in told, (call, error, told)
                refused += 1
    ways = sum(len(errors.split()) for errors in STARTING.values())
    figures.note(
        "R2",
        f"starting: {len(STARTING)} calls, {ways} errors: {refused} times it said why it could "
        f"not, {served_anyway} times it served",
    )


def test_a_thread_that_ends_takes_the_program_along() -> None:
    """A native thread that cannot go on is told, and a supervisor can start the program again."""
    with served(APP, "--threads", "2") as server:
        tasks = Path(f"/proc/{server.process.pid}/task")
        thread = next(one for one in tasks.iterdir() if "hubbub" in (one / "comm").read_text())
        strace = program("strace", "strace")
        command = (strace, "-qq", "-o", "/dev/null", "-p", thread.name)
        fault = ("-e", "trace=epoll_pwait", "-e", "inject=epoll_pwait:error=EINVAL")
        tracer = subprocess.Popen((*command, *fault))
        try:
            deadline = time.monotonic() + 20
            while server.process.poll() is None:
                assert time.monotonic() < deadline, "it goes on without its thread"
                with suppress(OSError, EOFError):
                    for _ in range(4):
                        open_websocket(server.address).close()
            assert server.process.returncode == 1
        finally:
            tracer.terminate()
            tracer.wait()
        assert "hubbub: a thread of the server has died: thread " in server.log.read_text()


def test_no_descriptor_and_none_to_spare(attack: Attack) -> None:
    """R2 meets R1: accepting fails for want of descriptors, and so does getting the spare one."""
    victim = attack()
    descriptors = victim.descriptors()
    with failing(victim, "accept4:error=EMFILE:when=1", "openat:error=EMFILE:when=1..3"):
        assert hurt(victim) <= CLIENTS
    victim.wait_quiet()
    assert victim.descriptors() == descriptors
    assert hurt(victim) == 0
