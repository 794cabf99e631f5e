"""Pairs of certificate and key: read from PEM files, checked, or made for development.

What is wrong with a file is said here, in words that name it; the engine gets only what it can use.
Knows nothing of listeners (see `tls`).
"""

import datetime
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.x509.oid import NameOID

from hubbub.errors import BadCertificate

DEV_DAYS = 90
"""How long a certificate for development is valid."""

_DEV_NAMES = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
)
_RENEW_BEFORE = datetime.timedelta(days=7)


@dataclass(frozen=True)
class Certificate:
    """A certificate chain with its key, checked."""

    name: str
    """The file it comes from."""

    chain: bytes
    """In PEM, its own certificate first."""

    key: bytes
    """In PEM, not encrypted."""

    expires: datetime.datetime
    """When it becomes useless."""

    @classmethod
    def read(cls, cert: str, key: str, password: str = "") -> "Certificate":
        """Reads a pair of files.

        Args:
            cert: The certificate, followed by those that lead to its authority.
            key: Its private key; if empty, it stands in `cert`, too.
            password: Opens an encrypted key.

        Raises:
            BadCertificate: One of them cannot be used; which, and why.
        """
        chain = read_file(cert)
        own = read_chain(cert, chain)[0]
        key = key or cert
        private = _read_key(key, password)
        if _bytes_of(private.public_key()) != _bytes_of(own.public_key()):
            raise BadCertificate(key, f"it is not the key of the certificate in {cert}")
        now = datetime.datetime.now(datetime.UTC)
        if own.not_valid_after_utc < now:
            raise BadCertificate(cert, f"expired: {own.not_valid_after_utc:%Y-%m-%d %H:%M} UTC")
        if own.not_valid_before_utc > now:
            begin = own.not_valid_before_utc
            raise BadCertificate(cert, f"not valid before: {begin:%Y-%m-%d %H:%M} UTC")
        plain = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return cls(cert, chain, plain, own.not_valid_after_utc)


def read_file(path: str) -> bytes:
    """The bytes of a file.

    Raises:
        BadCertificate: It cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BadCertificate(path, f"cannot be read: {error.strerror}") from None


def read_chain(path: str, pem: bytes) -> list[x509.Certificate]:
    """The certificates of a PEM text; `path` is how errors call it.

    Raises:
        BadCertificate: There is none.
    """
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise BadCertificate(path, "no certificate in PEM") from None


def subject_of(der: bytes) -> str:
    """Whom a certificate names: "CN=ada,O=Engines" (RFC 4514)."""
    return x509.load_der_x509_certificate(der).subject.rfc4514_string()


def dev_certificate(folder: Path) -> tuple[str, str]:
    """A certificate for this machine's own names, for development; made if there is none yet.

    Nobody trusts it before being told to: browsers ask once, others are shown `cert.pem`.

    Args:
        folder: Where it is kept.

    Returns:
        The paths of certificate and key.

    Raises:
        BadCertificate: It cannot be written.
    """
    cert, key = folder / "cert.pem", folder / "key.pem"
    if not _is_fresh(cert, key):
        try:
            _make(cert, key)
        except OSError as error:
            raise BadCertificate(str(folder), f"cannot be written: {error.strerror}") from None
    return str(cert), str(key)


def _is_fresh(cert: Path, key: Path) -> bool:
    try:
        made = Certificate.read(str(cert), str(key))
    except BadCertificate:
        return False
    return made.expires - datetime.datetime.now(datetime.UTC) > _RENEW_BEFORE


def _make(cert: Path, key: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hubbub development")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        # Clocks of other machines may be a little behind.
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=DEV_DAYS))
        .add_extension(x509.SubjectAlternativeName(_DEV_NAMES), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    cert.parent.mkdir(parents=True, exist_ok=True)
    _write(key, pem, 0o600)
    _write(cert, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _write(path: Path, data: bytes, mode: int) -> None:
    """Replaces a file at once, so that nobody reads half of it."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
    draft.replace(path)


def _read_key(path: str, password: str) -> PrivateKeyTypes:
    pem = read_file(path)
    if b"ENCRYPTED" not in pem:
        # A password that is not needed does no harm.
        password = ""
    elif not password:
        raise BadCertificate(path, "the key is encrypted, and no password was given")
    try:
        return serialization.load_pem_private_key(pem, password.encode() or None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if password:
            raise BadCertificate(path, "the key does not open with this password") from None
        raise BadCertificate(path, "no private key in PEM") from None


def _bytes_of(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
