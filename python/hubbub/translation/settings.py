"""What a configuration says of translation, and the `Translator` that follows from it.

For example, below `[app.config]`::

    [app.config.translation]
    cache = "translations.sqlite3"

    [[app.config.translation.backends]]
    kind = "apertium"
    pivots = ["es"]

    [[app.config.translation.backends]]
    kind = "deepl"
    api_key_file = "/etc/hubbub/deepl.key"

    [[app.config.translation.prefer]]
    source = "fr"
    target = "es"
    backends = ["apertium"]
"""

from pathlib import Path

from msgspec import Struct

from hubbub.errors import Misuse
from hubbub.translation.backend import Backend
from hubbub.translation.backends import Apertium, DeepL, Google, LibreTranslate, Microsoft
from hubbub.translation.backends.apertium import IDLE_S, MODES
from hubbub.translation.cache import Cache
from hubbub.translation.tags import canonical
from hubbub.translation.translator import Translator, TranslatorOptions


class _Named(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    name: str = ""
    """What readers are told who has translated; if empty, its kind. Two of a kind need names."""


class _Keyed(_Named, frozen=True, kw_only=True):
    api_key: str = ""
    """The key."""

    api_key_file: str = ""
    """A file that has the key, instead."""

    def key(self) -> str:
        """The key, from wherever it is.

        Raises:
            Misuse: The file cannot be read.
        """
        if not self.api_key_file:
            return self.api_key
        try:
            return Path(self.api_key_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Misuse(f"translation: no key in {self.api_key_file}: {error}") from None

    def __repr__(self) -> str:
        """The name alone: a key is never printed."""
        return f"{type(self).__name__}(name={self.name!r})"


class ApertiumSettings(_Named, frozen=True, kw_only=True, tag="apertium"):
    """Apertium, from Debian's packages."""

    modes: str = str(MODES)
    """The folder of the pairs that are installed."""

    pivots: list[str] = []
    """Languages to go over where there is no pair."""

    idle_s: float = IDLE_S
    """How long a pair is kept running that nobody uses, in seconds."""

    def backend(self) -> Backend:
        """The back end."""
        return Apertium(
            self.modes, pivots=self.pivots, name=self.name or "apertium", idle_s=self.idle_s
        )


class LibreTranslateSettings(_Keyed, frozen=True, kw_only=True, tag="libretranslate"):
    """A LibreTranslate server."""

    url: str
    """Where it is."""

    html: bool = False
    """Whether protected parts travel as elements instead of as "{0}"."""

    def backend(self) -> Backend:
        """The back end."""
        return LibreTranslate(
            self.url, api_key=self.key(), name=self.name or "libretranslate", html=self.html
        )


class GoogleSettings(_Keyed, frozen=True, kw_only=True, tag="google"):
    """Google Cloud Translation, v2."""

    url: str = ""
    """Where it is, if elsewhere."""

    def backend(self) -> Backend:
        """The back end."""
        elsewhere = {"url": self.url} if self.url else {}
        return Google(self.key(), name=self.name or "google", **elsewhere)


class MicrosoftSettings(_Keyed, frozen=True, kw_only=True, tag="microsoft"):
    """Microsoft Translator, 3.0."""

    region: str = ""
    """The region of the resource."""

    url: str = ""
    """Where it is, if elsewhere."""

    def backend(self) -> Backend:
        """The back end."""
        elsewhere = {"url": self.url} if self.url else {}
        return Microsoft(self.key(), region=self.region, name=self.name or "microsoft", **elsewhere)


class DeepLSettings(_Keyed, frozen=True, kw_only=True, tag="deepl"):
    """DeepL."""

    url: str = ""
    """Where it is, if elsewhere."""

    def backend(self) -> Backend:
        """The back end."""
        return DeepL(self.key(), url=self.url, name=self.name or "deepl")


BackendSettings = (
    ApertiumSettings | LibreTranslateSettings | GoogleSettings | MicrosoftSettings | DeepLSettings
)


class Preference(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to ask for one pair, and whom not."""

    source: str = "*"
    """From which language; "*": any."""

    target: str = "*"
    """Into which."""

    backends: list[str]
    """The names of back ends, in the order they are asked."""


class TranslationSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Translation, as it is configured."""

    backends: list[BackendSettings] = []
    """In the order they are asked; with none, nothing is translated on the server."""

    prefer: list[Preference] = []
    """Exceptions from that order."""

    timeout_s: float = 8.0
    """How long a reader waits for a translation, in seconds; then the original stays."""

    backend_timeout_s: float = 4.0
    """How long one back end is waited for, in seconds, before the next is asked."""

    text_limit: int = 5_000
    """Characters in a text."""

    rate_per_minute: int = 30_000
    """Characters that one user may have translated in a minute; 0: any number."""

    cache_entries: int = 10_000
    """Translations kept in memory."""

    cache: str = ""
    """The file for more of them, below the application's folder; if empty, none."""

    cache_file_entries: int = 1_000_000
    """Translations kept in the file."""

    def translator(self, folder: Path) -> Translator:
        """The translator that follows.

        Args:
            folder: Where files are kept.

        Raises:
            Misuse: Something does not fit together.
            BadTag: A preference names no language.
        """
        return Translator(
            [one.backend() for one in self.backends],
            cache=Cache(
                self.cache_entries,
                folder / self.cache if self.cache else None,
                self.cache_file_entries,
            ),
            prefer={
                (_language(one.source), _language(one.target)): one.backends for one in self.prefer
            },
            options=TranslatorOptions(
                timeout_s=self.timeout_s,
                backend_timeout_s=self.backend_timeout_s,
                text_limit=self.text_limit,
                rate_per_minute=self.rate_per_minute,
            ),
        )


def _language(written: str) -> str:
    return written if written == "*" else canonical(written)
