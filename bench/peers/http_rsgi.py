"""An RSGI application, granian's own interface: /json. Files are granian's own affair."""

import json
from typing import Any

HEADERS = [("content-type", "application/json")]


async def app(scope: Any, protocol: Any) -> None:
    protocol.response_bytes(200, HEADERS, json.dumps({"message": "hello"}).encode())
