"""One application module, as it is declared; loading it is `hubbub.modules`'s."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hubbub.config.declare import setting


@dataclass(frozen=True)
class AppSettings:
    """An application: where its code is, and where it is served."""

    import_: str = setting(key="import", path="import", hint="chat:app")
    """Where the `App` is: "package.module:app" or "FILE.py:app", seen from this file's folder."""

    name: str = setting("", hint="chat")
    """What logs, metrics and `hubbub reload` call it; if empty, the name of its module."""

    mount: str = "/"
    """Path under which its routes stand."""

    hosts: tuple[str, ...] = setting((), hint="example.org")
    """Names it answers to, such as "example.org" or "*.example.org"; if none, every name."""

    config: Mapping[str, Any] = setting(factory=dict, hint='{ languages = ["en", "ar", "ko"] }')
    """What the module itself wants to know; checked by its own `Config`."""

    @property
    def label(self) -> str:
        """Its name; without one, that of its module: "hubbub.apps.chat:app" → "chat"."""
        if self.name:
            return self.name
        place = self.import_.partition(":")[0].removesuffix(".py")
        return place.replace("/", ".").rpartition(".")[2]
