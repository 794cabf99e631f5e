"""How much memory a process holds, and by how much that grows, as /proc tells it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def resident_bytes(pid: int | str = "self") -> int:
    """Resident memory, to the page."""
    return _bytes(Path(f"/proc/{pid}/smaps_rollup").read_text(), "Rss")


def own_bytes(pid: int | str = "self") -> int:
    """Resident memory without pages of files: these come and go by the system's will."""
    return _bytes(Path(f"/proc/{pid}/status").read_text(), "RssAnon")


@contextmanager
def peak(pid: int | str = "self") -> Iterator[Callable[[], int]]:
    """Yields what tells by how many bytes the memory has grown at most since the beginning."""
    before = resident_bytes(pid)
    Path(f"/proc/{pid}/clear_refs").write_text("5")

    def growth() -> int:
        status = Path(f"/proc/{pid}/status").read_text()
        return max(_bytes(status, "VmHWM"), resident_bytes(pid)) - before

    yield growth


def _bytes(text: str, name: str) -> int:
    line = next(line for line in text.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024
