"""picows on uvloop: /echo, and /fan as a loop over all transports.

Usage: picows_server.py PORT [CERT KEY]
"""

import ssl
import sys

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

fan: set[WSTransport] = set()


class Echo(WSListener):
    """Returns every message."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        else:
            transport.send(frame.msg_type, frame.get_payload_as_memoryview())


class Fan(WSListener):
    """Sends every message to everybody."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        fan.add(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        fan.discard(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        else:
            payload = frame.get_payload_as_bytes()
            for other in fan:
                other.send(frame.msg_type, payload)


def listener(request: WSUpgradeRequest) -> WSListener:
    return Fan() if request.path == b"/fan" else Echo()


def context() -> ssl.SSLContext | None:
    if len(sys.argv) < 4:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(sys.argv[2], sys.argv[3])
    return made


async def main() -> None:
    port = int(sys.argv[1])
    server = await ws_create_server(listener, "127.0.0.1", port, backlog=4096, ssl=context())
    await server.serve_forever()


uvloop.run(main())
