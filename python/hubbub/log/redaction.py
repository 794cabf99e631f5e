"""Secrets in texts and queries, taken out before a line is written (pure).

A token in a URL ends up wherever URLs are written down, so none of ours writes one (A2). The second
line of defence is here: whatever is logged, by whomever, passes `redacted`. It knows secrets by the
names they go by and by forms of their own; it cannot know a secret that is just a word.
"""

import re
from itertools import chain, pairwise
from urllib.parse import unquote_plus

HIDDEN = "***"
"""What stands where a secret was."""

# Of a name in any text: nobody means anything harmless by these.
_STRONG = {
    *("token", "accesstoken", "authtoken", "idtoken", "refreshtoken", "jwt", "apikey", "secret"),
    *("password", "passwd", "passphrase", "pwd", "credential", "credentials", "authorization"),
    *("signature", "assertion", "otp"),
}
# In a query, these are secrets as well; in prose, `code=1006` is not.
_BROAD = {
    *_STRONG,
    *("key", "sig", "code", "auth", "session", "sessionid", "sid", "ticket", "pin", "hmac"),
}

# "accessToken", "access_token", "X-Amz-Signature": the words of a name.
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

_PAIR = re.compile(r"([?&;])([^=&;?#\s]{1,128})=([^&;#\s\"'<>]+)")
_NAMED = re.compile(
    r"""(?<![\w.-])([A-Za-z][\w.-]{2,63})(?:["']?\s{0,3}[=:]\s{0,3}|["'],\s{0,3})"""
)
_VALUE = re.compile(r"""b?"[^"\n]*"|b?'[^'\n]*'|[^\s,;&)\]}"']+""")
_FIELD = re.compile(
    r"""(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)(["']?\s{0,3}[=:,]\s{0,3})"""
    r"""("[^"\n]*"|'[^'\n]*'|[^\n"'][^\n]*)"""
)
# A digit or sign tells a credential from the next word of a sentence.
_SCHEME = re.compile(r"(?i)\b(bearer|basic)(\s{1,3})(?=[A-Z]{0,256}[\d_.~+/=-])[\w.~+/=-]{4,}")
_JWT = re.compile(r"\beyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?")


def is_secret(name: str) -> bool:
    """Whether what goes by this name, anywhere, is to be kept out of logs."""
    return _is_among(_STRONG, name)


def is_secret_field(name: str) -> bool:
    """The same for what has a name of its own, such as a field of HTTP: cookies are among them."""
    return is_secret(name) or name.lower() in ("cookie", "set-cookie")


def redacted_query(query: str) -> str:
    """A query string with the values of secrets replaced, the rest as it was sent."""
    return redacted(_PAIR.sub(_hide_pair, "?" + query)[1:])


def redacted(text: str) -> str:
    """A text, a whole traceback too, with the secrets in it replaced by "***"."""
    if "=" in text:
        text = _PAIR.sub(_hide_pair, text)
    text = _FIELD.sub(rf"\1\2{HIDDEN}", text)
    text = _SCHEME.sub(rf"\1\2{HIDDEN}", text)
    text = _JWT.sub(HIDDEN, text)
    return _hide_named(text)


def _hide_pair(match: re.Match[str]) -> str:
    # Decoded first: "tok%65n" is a token to every server.
    if not _is_among(_BROAD, unquote_plus(match[2])):
        return match[0]
    return f"{match[1]}{match[2]}={HIDDEN}"


def _hide_named(text: str) -> str:
    shown: list[str] = []
    end = 0
    # A value is looked at only where a secret's name stands before it: what follows another name
    # may hold names of its own.
    for match in _NAMED.finditer(text):
        if match.start() < end or not is_secret(match[1]):
            continue
        if value := _VALUE.match(text, match.end()):
            shown += text[end : match.end()], HIDDEN
            end = value.end()
    return "".join(shown) + text[end:]


def _is_among(words: set[str], name: str) -> bool:
    parts = [part.lower() for part in _WORDS.findall(name)]
    pairs = (first + second for first, second in pairwise(parts))
    return any(part in words for part in chain(parts, pairs))
