"""Set-Cookie fields: what a server tells a client to keep (RFC 6265 §4.1; pure).

What a client sends is read by `Request.cookies`.
"""

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Literal

from hubbub.errors import Misuse

SameSite = Literal["lax", "strict", "none"]
"""Which foreign pages' requests bring the cookie along."""

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]*")
_ATTRIBUTE = re.compile(r"[ -:<-~]*")


def set_cookie(
    name: str,
    value: str,
    *,
    max_age_s: int | None,
    expires: datetime | None,
    path: str | None,
    domain: str | None,
    secure: bool,
    http_only: bool,
    same_site: SameSite,
) -> str:
    """The value of a Set-Cookie field.

    Raises:
        Misuse: A part cannot stand in a cookie, or browsers would not keep it.
    """
    if not _NAME.fullmatch(name):
        raise Misuse(f"not a name for a cookie: {name!r}")
    if not _VALUE.fullmatch(value):
        raise Misuse(f"not a value for a cookie, encode it first: {name}")
    parts = [f"{name}={value}"]
    for attribute, text in (("Domain", domain), ("Path", path)):
        if text is not None:
            if not _ATTRIBUTE.fullmatch(text):
                raise Misuse(f"not a {attribute.lower()} for a cookie: {text!r}")
            parts.append(f"{attribute}={text}")
    if max_age_s is not None:
        parts.append(f"Max-Age={max_age_s}")
    if expires is not None:
        parts.append(f"Expires={format_datetime(expires.astimezone(UTC), usegmt=True)}")
    if same_site == "none" and not secure:
        raise Misuse(f"browsers keep a cookie for all sites only if it is secure: {name}")
    if name.startswith("__Host-") and (not secure or path != "/" or domain is not None):
        raise Misuse(f"a __Host- cookie is secure, for the path / and without a domain: {name}")
    if name.startswith("__Secure-") and not secure:
        raise Misuse(f"a __Secure- cookie is secure: {name}")
    parts.append(f"SameSite={same_site.capitalize()}")
    if secure:
        parts.append("Secure")
    if http_only:
        parts.append("HttpOnly")
    return "; ".join(parts)
