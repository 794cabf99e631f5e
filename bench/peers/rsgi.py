"""An RSGI application, granian's own interface: /echo, and /fan as a loop over all connections."""

from typing import Any

TEXT = 2
BYTES = 1
fan: set[Any] = set()


async def app(scope: Any, protocol: Any) -> None:
    transport = await protocol.accept()
    is_fan = scope.path == "/fan"
    if is_fan:
        fan.add(transport)
    try:
        while (message := await transport.receive()).kind in (BYTES, TEXT):
            for other in tuple(fan) if is_fan else (transport,):
                if message.kind == TEXT:
                    await other.send_str(message.data)
                else:
                    await other.send_bytes(message.data)
    finally:
        fan.discard(transport)
    protocol.close(1000)
