"""Which modules stand where, and which would be in each other's way (pure)."""

from collections.abc import Sequence
from itertools import combinations

from hubbub.config import AppSettings
from hubbub.errors import Misuse
from hubbub.routing import parameter_names


def checked(apps: Sequence[AppSettings]) -> tuple[AppSettings, ...]:
    """The same, if they can be served together.

    Below another's mount is a place like any other: the longer path is meant. Two at the very same
    place are not possible, unless they answer to different names.

    Raises:
        Misuse: Two have one name, or one place.
    """
    for one in apps:
        parameter_names(one.mount)
    for one, other in combinations(apps, 2):
        if one.label == other.label:
            raise Misuse(f"two modules are called {one.label!r}: give one a name of its own")
        common = _common(one.hosts, other.hosts)
        if common is not None and _bare(one.mount) == _bare(other.mount):
            at = f" at {common}" if common else ""
            raise Misuse(
                f"two modules at one place: {one.label!r} and {other.label!r} "
                f"are both mounted at {one.mount}{at}"
            )
    return tuple(apps)


def _bare(mount: str) -> str:
    return mount.rstrip("/") or "/"


def _common(ours: Sequence[str], theirs: Sequence[str]) -> str | None:
    """A name that both answer to; "" if both answer to any, None if there is none."""
    if not ours and not theirs:
        return ""
    return next((host for host in ours if host.lower() in {one.lower() for one in theirs}), None)
