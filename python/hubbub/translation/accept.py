"""Accept-Language, the first guess at what somebody reads (RFC 9110 §12.5.4; pure)."""

import re

from hubbub.translation.tags import BadTag, canonical

GUESS_LIMIT = 10
"""Languages taken from one field; longer lists are of machines."""

_FIELD_LIMIT = 1_024
_WEIGHT = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


def first_guess(accept_language: str) -> list[str]:
    """The languages of a browser, the preferred one first; what is none is passed over.

    Args:
        accept_language: The field: "fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5".
    """
    found: list[tuple[float, str]] = []
    for element in accept_language[:_FIELD_LIMIT].split(","):
        written, *parameters = (part.strip() for part in element.split(";"))
        weight = _weight(parameters)
        if not written or written == "*" or weight == 0:
            continue
        try:
            found.append((weight, canonical(written)))
        except BadTag:
            continue
    found.sort(key=lambda one: -one[0])
    return list(dict.fromkeys(tag for _, tag in found))[:GUESS_LIMIT]


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if match := _WEIGHT.fullmatch(parameter.replace(" ", "").lower()):
            return float(match[1])
    return 1.0 if not parameters else 0.0
