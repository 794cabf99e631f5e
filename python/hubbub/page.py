"""What an HTML page may do: a Content-Security-Policy made from the page itself (pure).

The styles and scripts that stand in the page are allowed by their hashes, the page's own server
may be talked to, and nothing else: injected markup does not run (CSP Level 3 §2.3.1).
"""

import base64
import hashlib
from html.parser import HTMLParser

_SOURCES = {"script": "script-src", "style": "style-src"}


def content_security_policy(html: str) -> str:
    """The strictest policy under which a page still works.

    Args:
        html: The page as it will be served; its inline scripts and styles count as trusted.
    """
    elements = _Elements()
    # Browsers read every end of a line as LF before they hash what stands between (HTML §13.2.3.5).
    elements.feed(html.replace("\r\n", "\n").replace("\r", "\n"))
    elements.close()
    policy = ["default-src 'none'", "connect-src 'self'", "img-src 'self' data:"]
    for element, directive in _SOURCES.items():
        hashes = [_hash(text) for text in elements.texts[element]]
        policy.append(" ".join([directive, "'self'", *hashes]))
    policy += ["base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"]
    return "; ".join(policy)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


class _Elements(HTMLParser):
    """Collects what stands inside <script> and <style>."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.texts: dict[str, list[str]] = {element: [] for element in _SOURCES}
        self._inside: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begins a text if the element has one of its own."""
        if tag in _SOURCES and not any(name == "src" for name, _ in attrs):
            self._inside = []

    def handle_data(self, data: str) -> None:
        """Takes a piece of the text."""
        if self._inside is not None:
            self._inside.append(data)

    def handle_endtag(self, tag: str) -> None:
        """Ends the text."""
        if tag in _SOURCES and self._inside is not None:
            self.texts[tag].append("".join(self._inside))
            self._inside = None
