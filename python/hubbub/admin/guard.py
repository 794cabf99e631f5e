"""Who may ask the admin listener (pure).

On a Unix socket the file's mode decides. On TCP, without a token, everybody on this machine may
ask, but for what a web page makes a browser ask: such a request names a host of the page's choice
(DNS rebinding), or says that another site has sent it. With a token, only its owner may.
"""

import hmac
import ipaddress
from dataclasses import dataclass

from hubbub._core import Request
from hubbub.errors import Reject

_LOCAL_NAMES = {"localhost", "localhost."}


@dataclass(frozen=True)
class Guard:
    """Decides on each request.

    Attributes:
        token: What a request must bring; empty: nothing.
        by_file: The listener is a Unix socket.
    """

    token: str = ""
    by_file: bool = False

    def check(self, request: Request) -> None:
        """Lets a request pass.

        Raises:
            Reject: It may not: 401 without the token, 403 from a web page.
        """
        if self.token:
            scheme, _, given = (request.headers.get("authorization") or "").partition(" ")
            # In constant time, so that nobody can feel their way to it.
            is_same = hmac.compare_digest(given.strip().encode(), self.token.encode())
            if scheme.lower() != "bearer" or not is_same:
                raise Reject(401, "a token is needed", headers={"www-authenticate": "Bearer"})
            return
        if self.by_file:
            return
        host = request.headers.get("host")
        # No browser leaves it out; checks of HAProxy, in HTTP/1.0, do.
        if host is not None and not is_local_name(host):
            raise Reject(403, "ask by the name localhost or by address")
        if "origin" in request.headers:
            raise Reject(403, "not for web pages")
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise Reject(403, "not for web pages")


def is_local_name(host: str) -> bool:
    """Whether the value of a field `Host` names this machine: no page can choose these."""
    name, colon, port = host.rpartition(":")
    if not colon or not port.isdigit():
        name = host
    bare = name.removeprefix("[").removesuffix("]")
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return name.lower() in _LOCAL_NAMES
