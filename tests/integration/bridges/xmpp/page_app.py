"""A page with strophe.js, and the proxy that it connects to. The servers stand in PROXY_CONFIG."""

import os
from pathlib import Path

import msgspec

from hubbub import Request
from hubbub.bridges.xmpp.proxy import ProxySettings, app
from hubbub.http import FileResponse, Response
from tests.integration.bridges.xmpp.servers import STROPHE

HERE = Path(__file__).parent

app = app(msgspec.json.decode(os.environ["PROXY_CONFIG"], type=ProxySettings))


@app.get("/")
def page(req: Request) -> Response:
    return Response.html(
        "<!doctype html><script src='/strophe.js'></script><script src='/page.js'></script>"
    )


@app.get("/strophe.js")
def strophe(req: Request) -> FileResponse:
    return FileResponse(STROPHE)


@app.get("/page.js")
def script(req: Request) -> FileResponse:
    return FileResponse(HERE / "page.js")
