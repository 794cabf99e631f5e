"""Files and events: the examples themselves to look at, uploads by stream, a clock by SSE.

hubbub run examples/files.py:app
curl http://127.0.0.1:8000/examples/files.py
curl -N http://127.0.0.1:8000/clock
curl -T large.iso http://127.0.0.1:8000/upload/large.iso
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from hubbub import App, Event, EventSourceResponse, Request, last_event_id

app = App()
app.static("/examples", Path(__file__).parent)


@app.put("/upload/{name}", stream=True, body_limit_bytes="4GiB")
async def upload(req: Request, name: str) -> dict[str, str | int]:
    """Reads an upload as it comes, and remembers nothing of it but its digest."""
    digest, size = hashlib.sha256(), 0
    async for piece in req.stream():
        digest.update(piece)
        size += len(piece)
    return {"name": name, "bytes": size, "sha256": digest.hexdigest()}


@app.get("/clock")
def clock(req: Request) -> EventSourceResponse:
    """Tells the time once a second, and goes on counting where a client left off."""

    async def ticks(number: int) -> AsyncIterator[Event]:
        while True:
            number += 1
            now = datetime.now(UTC).isoformat(timespec="seconds")
            yield Event({"number": number, "time": now}, event="tick", id=str(number))
            await asyncio.sleep(1)

    seen = last_event_id(req)
    return EventSourceResponse(ticks(int(seen) if seen.isdecimal() else 0))
