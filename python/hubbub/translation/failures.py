"""Why a text was not translated. Whoever asked shows the original at once.

Failure
└── TranslationFailure
    ├── BackendFailure     one back end could not     backend, kind, reason, retry_after_s
    ├── NoBackend          no back end has this pair  source, target
    ├── Exhausted          each that has it failed    causes
    ├── Throttled          too much from one caller   retry_after_s
    └── TooLong            more than a text may have  size, limit
"""

from typing import Literal

from hubbub.errors import Failure

Kind = Literal["down", "garbage", "late", "quota", "refused", "throttled", "unauthorized"]
"""How a back end failed. "refused": it works, but will not have this text or this pair."""


class TranslationFailure(Failure):
    """The text could not be translated."""


class BackendFailure(TranslationFailure):
    """One back end could not translate.

    Attributes:
        backend: Its name.
        kind: How it failed.
        reason: In words.
        retry_after_s: When it may be asked again, if it said so.
    """

    def __init__(
        self, backend: str, kind: Kind, reason: str, retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{backend}: {reason}")
        self.backend = backend
        self.kind = kind
        self.reason = reason
        self.retry_after_s = retry_after_s


class NoBackend(TranslationFailure):
    """No back end translates this pair.

    Attributes:
        source: From which language.
        target: Into which.
    """

    def __init__(self, source: str, target: str) -> None:
        super().__init__(f"nobody translates from {source} into {target}")
        self.source = source
        self.target = target


class Exhausted(TranslationFailure):
    """Every back end that has the pair failed, or is resting after failures.

    Attributes:
        causes: One for each.
    """

    def __init__(self, causes: list[BackendFailure]) -> None:
        super().__init__("; ".join(map(str, causes)) or "every back end rests after failures")
        self.causes = causes


class Throttled(TranslationFailure):
    """One caller asks for too much.

    Attributes:
        retry_after_s: When there is room again.
    """

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"too many translations: try again in {retry_after_s:.0f} s")
        self.retry_after_s = retry_after_s


class TooLong(TranslationFailure):
    """The text is longer than a text may be.

    Attributes:
        size: Its characters.
        limit: How many it may have.
    """

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"a text has at most {limit} characters: {size}")
        self.size = size
        self.limit = limit
