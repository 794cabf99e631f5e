"""`hubbub healthcheck`: whether a server lives, as an exit code, for containers and scripts."""

from typing import Annotated

import msgspec
from cyclopts import Parameter

from hubbub.cli.mistake import FAILED, Mistake
from hubbub.cli.options import ConfigurationFile
from hubbub.cli.remote import AdminPlace, find


class _Readiness(msgspec.Struct):
    reasons: list[str]


def healthcheck(
    *,
    admin: AdminPlace = None,
    config: ConfigurationFile = None,
    ready: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Exit with 0 if a server answers, and with 1 if it does not.

    Parameters
    ----------
    ready
        Ask whether it is ready for work, too: it is not while it starts or drains.
    """
    remote = find(admin, config)
    status, body = remote.ask("GET", "/readyz" if ready else "/healthz")
    if status == 200:
        print("ready" if ready else "ok")
        return 0
    try:
        reasons = msgspec.json.decode(body, type=_Readiness).reasons
    except msgspec.DecodeError:
        raise Mistake(f"{remote.name}: the server answered {status}", FAILED) from None
    print(f"not ready: {', '.join(reasons)}")
    return FAILED
