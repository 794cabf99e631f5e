"""Who may connect: `auth` and the parameters of a coroutine, resolved before the 101 (pure)."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from hubbub._core import Request
from hubbub.params import Parameters, arguments
from hubbub.routing import Admission, Admit

Auth = Callable[[Request], Any | Awaitable[Any]]


def admission(auth: Auth | None, parameters: Parameters | None = None) -> Admit | None:
    """What the engine asks before it accepts; None when there is nothing to ask.

    Parameters come first: they cost less than most `auth`s, and tell nobody a secret.

    Raises:
        Misuse: `auth` does not take one argument.
    """
    if auth is None:
        if not parameters:
            return None
        resolve = parameters.resolve
        return lambda request: (None, resolve(request))
    arguments(auth, 1, "auth(request)")

    def resolved(request: Request) -> dict[str, Any]:
        return parameters.resolve(request) if parameters else {}

    if inspect.iscoroutinefunction(auth):

        async def admit_later(request: Request) -> Admission:
            keywords = resolved(request)
            return await auth(request), keywords

        return admit_later

    def admit(request: Request) -> Admission:
        keywords = resolved(request)
        return auth(request), keywords

    return admit
