"""What the system says of this process: processor, memory, descriptors."""

import os
import resource
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Process:
    """One look at it."""

    cpu_s: float
    """Processor time used, of all threads, in user and system mode."""

    resident_bytes: int
    """Memory that is really there."""

    virtual_bytes: int
    """Address space."""

    descriptors: int
    """Open descriptors."""

    descriptor_limit: int
    """How many it may have."""

    threads: int
    """Threads, the interpreter's own included."""

    started_s: float
    """When it was started, in seconds since the epoch of Unix."""


def this_process() -> Process:
    """Looks at this process. Costs some reads below /proc, none of a disk."""
    # The name in the second field may hold spaces and parentheses; everything behind it is plain.
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    user, system, threads, start, virtual, pages = (
        int(fields[number - 3]) for number in (14, 15, 20, 22, 23, 24)
    )
    return Process(
        cpu_s=(user + system) / _TICKS,
        resident_bytes=pages * _PAGE_BYTES,
        virtual_bytes=virtual,
        descriptors=_descriptors(),
        descriptor_limit=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        threads=threads,
        started_s=_booted_s() + start / _TICKS,
    )


def _descriptors() -> int:
    # A server may have a hundred thousand: since Linux 6.2 the kernel counts them itself.
    with suppress(OSError):
        if count := os.stat("/proc/self/fd").st_size:  # noqa: PTH116 - a Path would be built each time
            return count
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def _booted_s() -> float:
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
