"""The flags of TLS, spelled as uvicorn spells them, and the settings they stand for."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from hubbub.certificate import dev_certificate
from hubbub.config import StorageSettings, TlsSettings
from hubbub.config.tls import ClientAuth
from hubbub.errors import Misuse

DEV_FOLDER = "dev-cert"
"""Below the state directory."""

_AUTH: dict[str, ClientAuth] = {
    # As `ssl.VerifyMode` counts them.
    "0": "off",
    "1": "optional",
    "2": "required",
    "off": "off",
    "optional": "optional",
    "required": "required",
}


@Parameter(name="*", group=Group("TLS", sort_key=1))
@dataclass(frozen=True)
class SslFlags:
    """Certificate and key on the command line."""

    ssl_certfile: Annotated[Path | None, Parameter(name="--ssl-certfile")] = None
    """PEM file of the certificate and those that lead to its authority: speaks https and wss."""

    ssl_keyfile: Annotated[Path | None, Parameter(name="--ssl-keyfile")] = None
    """PEM file of its key; if left out, it stands in the certificate's file, too."""

    ssl_keyfile_password: Annotated[str, Parameter(name="--ssl-keyfile-password")] = ""
    """Opens an encrypted key."""

    ssl_ca_certs: Annotated[Path | None, Parameter(name="--ssl-ca-certs")] = None
    """PEM file of the authorities whose client certificates are accepted."""

    ssl_cert_reqs: Annotated[
        Literal["0", "1", "2", "off", "optional", "required"], Parameter(name="--ssl-cert-reqs")
    ] = "off"
    """Whether clients show a certificate: 0 (off), 1 (optional), 2 (required)."""

    ssl_dev: Annotated[bool, Parameter(name="--ssl-dev", negative="")] = False
    """Make a certificate for localhost, for development; kept in hubbub-data/dev-cert."""

    def arguments(self) -> list[str]:
        """The same flags again, for the command line of a child."""
        parts = ["--ssl-dev"] if self.ssl_dev else []
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default and not isinstance(value, bool):
                parts += (f"--{field.name.replace('_', '-')}", str(value))
        return parts

    def settings(self) -> TlsSettings | None:
        """What they ask for; None: no TLS.

        Raises:
            BadCertificate: The certificate for development cannot be written.
            Misuse: They contradict each other.
        """
        cert, key = str(self.ssl_certfile or ""), str(self.ssl_keyfile or "")
        if self.ssl_dev:
            if cert or key:
                raise Misuse("--ssl-dev makes its own certificate: leave out --ssl-certfile")
            cert, key = dev_certificate(Path(StorageSettings().path) / DEV_FOLDER)
        if not cert:
            if self != SslFlags():
                raise Misuse("TLS needs --ssl-certfile")
            return None
        if _AUTH[self.ssl_cert_reqs] != "off" and not self.ssl_ca_certs:
            raise Misuse("--ssl-cert-reqs needs --ssl-ca-certs: whose certificates count")
        return TlsSettings(
            cert=cert,
            key=key or cert,
            key_password=self.ssl_keyfile_password,
            client_ca=str(self.ssl_ca_certs or ""),
            client_auth=_AUTH[self.ssl_cert_reqs],
        )
