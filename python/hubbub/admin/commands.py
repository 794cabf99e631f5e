"""Commands that come through the admin listener: what they call is given by who assembles them."""

from collections.abc import Awaitable, Callable

from hubbub._core import Request
from hubbub.admin.listener import Admin
from hubbub.errors import Failure
from hubbub.http import Response


def add_upgrade(admin: Admin, upgrade: Callable[[], Awaitable[int]]) -> None:
    """Adds `POST /upgrade`.

    Args:
        admin: Where.
        upgrade: Replaces this process; returns the number of the new one.
    """

    async def handler(request: Request) -> Response:
        """Replaces this process by a new one."""
        try:
            return Response({"pid": await upgrade()})
        except Failure as error:
            # Nothing has changed: the request was in conflict with how things are.
            return Response({"error": str(error)}, status=409)

    admin.route("POST", "/upgrade", handler)
