"""Bridges to other networks on the admin listener: `POST /bridge/{name}/{order}`."""

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from hubbub._core import Request
from hubbub.admin.listener import Admin
from hubbub.app import App, Bridge
from hubbub.http import Response


class Order(Struct):
    """What goes with an order."""

    who: str = ""
    """Whom it is about: a person or a domain of the other network."""


def add_bridging(admin: Admin, apps: Callable[[], Iterator[App[Any]]]) -> None:
    """Adds the orders.

    Args:
        admin: Where.
        apps: The applications that are served now.
    """

    def order(request: Request, name: str, order: str, given: Order) -> Response:
        """Pauses or resumes a bridge, or blocks somebody of its network."""
        bridge = next((app.bridges[name] for app in apps() if name in app.bridges), None)
        if bridge is None:
            return Response({"error": f"there is no bridge {name!r}"}, status=404)
        error = _carried_out(bridge, order, given.who.strip())
        if error:
            return Response({"error": error}, status=409)
        return Response({"name": name, **bridge.report()})

    admin.route("POST", "/bridge/{name}/{order}", order)


def _carried_out(bridge: Bridge, order: str, who: str) -> str:
    """Does it; tells why not, if so."""
    match order:
        case "pause":
            bridge.pause()
        case "resume":
            bridge.resume()
        case "block" | "unblock" if not who:
            return "say who"
        case "block":
            bridge.block(who)
        case "unblock":
            bridge.unblock(who)
        case _:
            return f"there is no order {order!r}"
    return ""
