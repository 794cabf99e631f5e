"""The listener for those who run the server, as it is declared; serving it is `hubbub.admin`'s."""

from dataclasses import dataclass

from hubbub.config.declare import setting


@dataclass(frozen=True)
class AdminSettings:
    """Health, metrics, reload and upgrade, apart from what the public meets."""

    bind: str = setting("auto", path="bind", hint="unix:/run/hubbub/admin.sock")
    """Where to listen: "127.0.0.1:9000" or "unix:/PATH"; "auto": a Unix socket; "off": nowhere."""

    token: str = setting("", is_secret=True)
    """What a request must bring as `Authorization: Bearer TOKEN`; needed on a public address."""

    token_file: str = setting("", path="file", hint="/etc/hubbub/admin.token")
    """File that holds the token instead, so that this one can be shown around."""

    @property
    def address(self) -> str:
        """Where to listen, if that is said in so many words; else nothing."""
        return "" if self.bind in ("auto", "off") else self.bind
