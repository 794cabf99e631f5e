"""`hubbub bridge`: how a running server's bridges are, and orders to them."""

from typing import Any, Literal
from urllib.parse import quote

from hubbub.cli.mistake import FAILED, USAGE, Mistake
from hubbub.cli.options import ConfigurationFile
from hubbub.cli.remote import AdminPlace, find

_PATIENCE_S = 10.0

Order = Literal["status", "pause", "resume", "block", "unblock"]


def bridge(
    name: str = "",
    order: Order = "status",
    who: str = "",
    /,
    *,
    admin: AdminPlace = None,
    config: ConfigurationFile = None,
) -> None:
    """Show the bridges of a running server, or order one of them to do something.

    Parameters
    ----------
    name
        Which bridge; none: all are shown.
    order
        pause: it leaves the other network, and what is said waits; resume; block and unblock
        somebody of the other network.
    who
        Whom: a name, an account, or a domain and all below it.
    """
    remote = find(admin, config)
    if order != "status":
        if order in ("block", "unblock") and not who:
            raise Mistake(f"say whom to {order}", USAGE)
        target = f"/bridge/{quote(name, safe='')}/{order}"
        answer = remote.post(target, {"who": who}, timeout_s=_PATIENCE_S)
        print(f"{name}: {order}: {answer['state']}")
        return
    modules = remote.get("/status")["modules"]
    found = [one for module in modules for one in module["bridges"] if name in ("", one[0])]
    if not found:
        raise Mistake(
            f"there is no bridge {name!r}" if name else "the server has no bridges", FAILED
        )
    for called, stats, report in found:
        print(picture(called, stats, report))


def picture(name: str, stats: dict[str, Any], report: dict[str, Any]) -> str:
    """One bridge, for people."""
    lines = [f"{name}: {report['state']}"]
    for channel, one in report["channels"].items():
        lines.append(f"  {channel}: {'in' if one['open'] else 'out'}")
    lines += [
        f"  waiting: {stats['queue']}, for {stats['lag_s']:.1f} s",
        f"  people: {stats['people']}",
        f"  told: {stats['messages_out']} there, {stats['messages_in']} here",
        f"  given up: {stats['given_up_out']} there, {stats['given_up_in']} here",
        f"  rejoined: {stats['rejoins']} times",
    ]
    if report["blocked"]:
        lines.append(f"  blocked: {', '.join(report['blocked'])}")
    return "\n".join(lines)
