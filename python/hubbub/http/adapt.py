"""Handlers as the engine calls them: request in, encoded answer out, now or awaited."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from hubbub._core import Request
from hubbub.errors import Misuse, Reject
from hubbub.http.response import Encoded, encode, encode_refusal
from hubbub.params import Parameters, name_of

Answer = Encoded | Awaitable[Encoded | None] | Awaitable[None]
"""What a handler's adapted form returns; None: it has answered by itself."""

Adapted = Callable[[Request], Answer]


def adapt(
    handler: Callable[..., Any], path_names: tuple[str, ...], *, streams: bool = False
) -> Adapted:
    """The handler as the engine calls it.

    Args:
        handler: What the application wrote.
        path_names: The names in its route's pattern.
        streams: Whether it reads the body as it comes.

    Raises:
        Misuse: Its signature asks for what no request can bring.
    """
    parameters = Parameters(handler, path_names, body=True)
    for one in parameters if streams else ():
        if one.source == "body":
            raise Misuse(
                f"{name_of(handler)}: {one.name}: with stream=True the body is read by"
                " request.stream(), and is no parameter"
            )
    if inspect.iscoroutinefunction(handler):

        async def answer_later(request: Request) -> Encoded | None:
            try:
                result = await handler(request, **parameters.resolve(request))
                answer = encode(result, request)
                if isinstance(answer, tuple):
                    return answer
                await answer
                return None
            except Reject as refusal:
                return encode_refusal(refusal, request)

        return answer_later

    if not parameters:
        # Most requests by number: liveness, pages, small documents.
        def answer_plainly(request: Request) -> Answer:
            try:
                return encode(handler(request), request)
            except Reject as refusal:
                return encode_refusal(refusal, request)

        return answer_plainly

    def answer(request: Request) -> Answer:
        try:
            return encode(handler(request, **parameters.resolve(request)), request)
        except Reject as refusal:
            return encode_refusal(refusal, request)

    return answer
