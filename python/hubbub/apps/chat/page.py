"""The page: files that were built from `client/apps/chat` and lie beside this module."""

from pathlib import Path
from typing import Any

from hubbub._core import Request
from hubbub.app import App
from hubbub.http import Response

FOLDER = Path(__file__).with_name("static")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""Whatever a stranger's text might become, it is no script, and reaches no other host."""


def add_page(app: App[Any]) -> None:
    """Puts the page at the app's root."""
    if (FOLDER / "index.html").is_file():
        headers = {
            "content-security-policy": CONTENT_SECURITY_POLICY,
            "referrer-policy": "no-referrer",
        }
        app.static("/", FOLDER, headers=headers)
    else:
        app.get("/")(_not_built)


def _not_built(req: Request) -> Response:
    return Response("The chat runs; its page has not been built: `make setup` does.\n", status=503)
