"""`hubbub reload` and `hubbub upgrade`: orders to a running server."""

from hubbub.cli.mistake import FAILED, Mistake
from hubbub.cli.options import ConfigurationFile
from hubbub.cli.remote import AdminPlace, Unreachable, find

_PATIENCE_S = 600.0
# The server has deadlines of its own, and says so when one passes.


def reload(
    *names: str,
    admin: AdminPlace = None,
    config: ConfigurationFile = None,
) -> None:
    """Load the new code of application modules; their connections stay open.

    A version that cannot be loaded changes nothing; the other modules are reloaded all the same.

    Parameters
    ----------
    names
        Which modules; none: all.
    """
    remote = find(admin, config)
    meant = names or [module["name"] for module in remote.get("/status")["modules"]]
    if not meant:
        raise Mistake(f"{remote.name}: the server has no modules to reload", FAILED)
    mistakes: list[str] = []
    for name in meant:
        try:
            remote.post(f"/reload/{name}", timeout_s=_PATIENCE_S)
        except Unreachable:
            raise
        except Mistake as mistake:
            mistakes.append(str(mistake))
        else:
            print(f"{name}: reloaded")
    if mistakes:
        raise Mistake("\n  ".join(mistakes), FAILED)


def upgrade(*, admin: AdminPlace = None, config: ConfigurationFile = None) -> None:
    """Replace a running server by a new process of the same command line; nobody is refused.

    The new one takes the listening sockets over; once it serves, the old one takes leave. One that
    does not start changes nothing.
    """
    answer = find(admin, config).post("/upgrade", timeout_s=_PATIENCE_S)
    print(f"process {answer['pid']} has taken over")
