"""A certificate authority of the tests' own, and files of what it has signed."""

import datetime
from pathlib import Path

import trustme

from hubbub.config import TlsSettings


class Authority:
    """Signs certificates; their files live in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ca = trustme.CA()
        self.file = str(folder / "ca.pem")
        """The authority's own certificate."""
        self._ca.cert_pem.write_to_path(self.file)
        self._count = 0

    def pair(self, *names: str, expires: datetime.datetime | None = None) -> tuple[str, str]:
        """The files of a certificate for these names, and of its key."""
        self._count += 1
        issued = self._ca.issue_cert(*names, not_after=expires)
        cert, key = (self.folder / f"{kind}-{self._count}.pem" for kind in ("cert", "key"))
        chain = b"".join(one.bytes() for one in issued.cert_chain_pems)
        cert.write_bytes(chain)
        issued.private_key_pem.write_to_path(key)
        return str(cert), str(key)

    def settings(self, *names: str) -> TlsSettings:
        """A listener's settings with a certificate for these names."""
        cert, key = self.pair(*names)
        return TlsSettings(cert=cert, key=key)
