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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ..authority import Authority
from ..programs import program
from ..serving import START_TIMEOUT_S, served, serving
from ..wire import TEXT, frame, open_websocket, receive_frame
from .acts import Act, ByTls, crash, fetch, huge, hurt, local, relay, talk
from .conftest import APP, Attack
from .figures import Figures
from .victim import Victim

pytestmark = [pytest.mark.torture, pytest.mark.unhurried]

SENDING = (
    "EACCES EAGAIN ECONNRESET EDESTADDRREQ EHOSTUNREACH EINTR EINVAL EIO EMSGSIZE ENETDOWN "
    "ENETUNREACH ENOBUFS ENOMEM ENOTCONN EPERM EPIPE ETIMEDOUT"
)
OPENING = "EACCES EINTR ELOOP EMFILE ENFILE ENOENT ENOMEM EOVERFLOW EPERM"
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
    "close": "EDQUOT EINTR EIO ENOSPC",
    "epoll_ctl": "EEXIST ELOOP ENOENT ENOMEM ENOSPC EPERM",
    "epoll_pwait": "EINTR",
    "mmap": "EAGAIN ENOMEM",
    "mremap": "ENOMEM",
    "munmap": "ENOMEM",
    "madvise": "EAGAIN ENOMEM",
    "openat2": f"{OPENING} EAGAIN ENOSYS EXDEV",
    "fstat": "EIO ENOMEM EOVERFLOW",
    "sendfile": "EAGAIN ECONNRESET EINTR EINVAL EIO ENOMEM ENOSYS EOVERFLOW EPIPE",
    "pread64": "EAGAIN EINTR EIO EISDIR ENXIO EOVERFLOW ESPIPE",
    "openat": OPENING,
    "newfstatat": "EACCES ELOOP ENOENT ENOMEM EOVERFLOW",
    "ioctl": "EINVAL ENOTTY",
    "lseek": "EINVAL ENXIO EOVERFLOW ESPIPE",
    "read": "EAGAIN EINTR EIO EISDIR",
    "write": "EAGAIN EDQUOT EFBIG EINTR EIO ENOSPC EPERM EPIPE",
}
"""What a server calls while it serves, and the errors of each after its manual page."""

MET = (
    "accept4 recvfrom sendto sendmsg shutdown close epoll_ctl epoll_pwait socket connect "
    "getsockopt setsockopt openat2 fstat sendfile madvise"
)
"""Calls that are met in each run without TLS; others only at times, such as what returns memory.
With those that TLS adds and those of starting they are 27."""

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

ALL_NTH = (1, 3, 8, 21)
FEW_NTH = (1, 2, 5)


@dataclass(frozen=True)
class Scene:
    """What is done while each of these calls fails in turn, at its n-th time."""

    act: Act
    calls: str
    nth: tuple[int, ...] = FEW_NTH
    times: int = 1


PLAIN = (
    Scene(
        talk,
        "accept4 recvfrom sendto sendmsg shutdown close epoll_ctl epoll_pwait",
        nth=ALL_NTH,
        times=4,
    ),
    Scene(relay, "socket connect getsockopt setsockopt epoll_ctl recvfrom sendto close"),
    Scene(huge, "mmap mremap munmap madvise"),
    Scene(fetch, "openat openat2 fstat sendfile sendmsg close"),
    Scene(local, "accept4 epoll_ctl"),
    Scene(crash, "newfstatat openat ioctl lseek read write close"),
)


BY_TLS = {
    "renew": "openat newfstatat ioctl lseek read write close",
    "fetch": "openat openat2 fstat pread64 sendto",
    "talk": "recvfrom sendto",
}
"""What a server does that speaks TLS: acts of `ByTls`, with their calls. All but `write` are met in
each run."""


@contextmanager
def failing(victim: Victim, *faults: str) -> Iterator[Callable[[], int]]:
    """Makes calls fail as strace's `inject=` describes it.

    Yields what tells, once that is over, how many have failed.
    """
    strace = program("strace", "strace")
    injected = [part for fault in faults for part in ("-e", f"inject={fault}")]
    calls = ",".join(fault.partition(":")[0] for fault in faults)
    told: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace")
        command = (strace, "-f", "-qq", "-o", str(trace), "-e", f"trace={calls}", *injected)
        tracer = subprocess.Popen((*command, "-p", str(victim.pid)))
        status = Path(f"/proc/{victim.pid}/status")
        try:
            while re.search(r"TracerPid:\s+0$", status.read_text(), re.MULTILINE):
                assert tracer.poll() is None, "strace may not attach here"
                time.sleep(0.002)
            yield lambda: "".join(told).count("(INJECTED)")
        finally:
            tracer.terminate()
            tracer.wait()
            told.append(trace.read_text())


@dataclass
class Toll:
    """What a run of failures has cost."""

    seen: set[str] = field(default_factory=set)
    injected: int = 0
    ended: int = 0
    unclosed: int = 0
    lost: int = 0

    def __str__(self) -> str:
        """In words."""
        return (
            f"{len(self.seen)} calls met, {self.injected} failures: {self.ended} connections "
            f"ended, no other hurt, {self.lost} descriptors lost"
        )


def play(victim: Victim, scene: Scene, nths: tuple[int, ...], toll: Toll) -> None:
    """One scene, with each of its failures in turn."""
    assert hurt(victim, scene.act, scene.times) == 0
    victim.wait_quiet()
    ways = [(call, error) for call in scene.calls.split() for error in ERRORS[call].split()]
    for call, error in ways:
        for nth in nths:
            what = (scene.act.__name__, call, error, nth)
            with failing(victim, f"{call}:error={error}:when={nth}") as failures:
                failed = hurt(victim, scene.act, scene.times)
                if call == "close":
                    # One that is prevented while strace takes its leave is in no trace.
                    victim.wait_quiet()
            # It is counted in each thread by itself.
            happened = failures()
            assert victim.is_alive(), what
            assert failed <= happened, what
            toll.injected += happened
            toll.ended += failed
            # A close(2) that never happened leaves a descriptor with whoever prevented it.
            toll.unclosed += happened if call == "close" else 0
            if happened:
                toll.seen.add(call)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("act", BY_TLS)
def test_every_call_of_tls_may_fail(
    attack: Attack, figures: Figures, authority: Authority, act: str, threads: int
) -> None:
    """R2: one connection at most is the price of one failure, and no descriptor is lost."""
    by_tls = ByTls(authority)
    victim = attack("--threads", str(threads), *by_tls.flags)
    toll = endure(victim, (Scene(getattr(by_tls, act), BY_TLS[act]),), threads)
    figures.note("R2", f"{threads} thread{'s' * (threads > 1)}, {act} by TLS: {toll}")
    assert toll.seen >= set(BY_TLS[act].split()) - {"write"}


@pytest.mark.parametrize("threads", [1, 2])
def test_every_call_may_fail(attack: Attack, figures: Figures, threads: int) -> None:
    """R2: the same of a server that does everything else."""
    toll = endure(attack("--ws-max-size", "16MiB", "--threads", str(threads)), PLAIN, threads)
    figures.note("R2", f"{threads} thread{'s' * (threads > 1)}: {toll}")
    assert toll.seen >= set(MET.split())


def endure(victim: Victim, scenes: tuple[Scene, ...], threads: int) -> Toll:
    """All scenes, with all of their failures, and what is as before when they are over."""
    toll = Toll()
    for scene in scenes:
        assert hurt(victim, scene.act, scene.times) == 0
    victim.wait_quiet()
    descriptors = victim.descriptors()
    for scene in scenes:
        # The calls are the same, made by more threads: fewer turns will do.
        play(victim, scene, scene.nth if threads == 1 else scene.nth[::3], toll)
    victim.wait_quiet()
    # What the last failure has left in the middle of its way out gets its time.
    end = time.monotonic() + 5
    while (lost := victim.descriptors() - descriptors - toll.unclosed) and time.monotonic() < end:
        time.sleep(0.1)
    toll.lost = lost
    assert toll.lost == 0
    for scene in scenes:
        assert hurt(victim, scene.act, scene.times) == 0
    return toll


def test_every_call_of_starting_may_fail(figures: Figures, tmp_path: Path) -> None:
    """R2: it serves all the same, or says why not and ends; it does not hang."""
    strace = program("strace", "strace")
    served_anyway = refused = 0
    trace = tmp_path / "trace"
    for call, errors in STARTING.items():
        for error in errors.split():
            fault = f"inject={call}:error={error}:when=1"
            wrapper = (strace, "-f", "-qq", "-o", str(trace), "-e", f"trace={call}", "-e", fault)
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
            assert "(INJECTED)" in trace.read_text(), (call, error)
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
        assert hurt(victim, talk, times=4) <= 4
    victim.wait_quiet()
    assert victim.descriptors() == descriptors
    assert hurt(victim, talk, times=4) == 0
