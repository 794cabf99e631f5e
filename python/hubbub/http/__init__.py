"""HTTP answers, from plain values to streams and files. Routes are declared on `App`."""

from hubbub.http.adapt import Adapted, Answer, adapt
from hubbub.http.cors import Cors
from hubbub.http.files import FileResponse
from hubbub.http.response import BaseResponse, Encoded, Response, encode, encode_refusal
from hubbub.http.sse import Event, EventSourceResponse, last_event_id
from hubbub.http.static import Static
from hubbub.http.streaming import StreamingResponse

__all__ = [
    "Adapted",
    "Answer",
    "BaseResponse",
    "Cors",
    "Encoded",
    "Event",
    "EventSourceResponse",
    "FileResponse",
    "Response",
    "Static",
    "StreamingResponse",
    "adapt",
    "encode",
    "encode_refusal",
    "last_event_id",
]
