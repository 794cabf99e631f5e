"""What is wrong with a pair of files, said in words."""

import datetime
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from tests.authority import Authority

from hubbub.certificate import Certificate, dev_certificate, read_chain, subject_of
from hubbub.errors import BadCertificate

NOW = datetime.datetime.now(datetime.UTC)


def test_a_good_pair(authority: Authority) -> None:
    cert, key = authority.pair("localhost")
    read = Certificate.read(cert, key)
    assert (read.name, read.chain) == (cert, Path(cert).read_bytes())
    assert read.expires > NOW


def test_both_in_one_file(authority: Authority, tmp_path: Path) -> None:
    cert, key = authority.pair("localhost")
    both = tmp_path / "both.pem"
    both.write_bytes(Path(key).read_bytes() + Path(cert).read_bytes())
    assert Certificate.read(str(both), "").key == Certificate.read(cert, key).key


def test_an_encrypted_key_needs_its_password(authority: Authority, tmp_path: Path) -> None:
    cert, key = authority.pair("localhost")
    loaded = serialization.load_pem_private_key(Path(key).read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"sesame"),
        )
    )
    assert Certificate.read(cert, str(locked), "sesame").key == Certificate.read(cert, key).key
    with pytest.raises(BadCertificate, match="encrypted, and no password") as caught:
        Certificate.read(cert, str(locked))
    assert caught.value.path == str(locked)
    with pytest.raises(BadCertificate, match="does not open with this password"):
        Certificate.read(cert, str(locked), "simsalabim")


def test_what_is_wrong_is_said(authority: Authority, tmp_path: Path) -> None:
    cert, key = authority.pair("localhost")
    other, _ = authority.pair("localhost")
    old, its_key = authority.pair("localhost", expires=NOW - datetime.timedelta(days=1))
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("not PEM at all")
    wrong = [
        (str(tmp_path / "gone.pem"), key, f"{tmp_path}/gone.pem: cannot be read: No such file"),
        (str(tmp_path), key, f"{tmp_path}: cannot be read: Is a directory"),
        (str(nothing), key, f"{nothing}: no certificate in PEM"),
        (cert, str(nothing), f"{nothing}: no private key in PEM"),
        (other, key, f"{key}: it is not the key of the certificate in {other}"),
        (old, its_key, f"{old}: expired: "),
    ]
    for one, its, message in wrong:
        with pytest.raises(BadCertificate) as caught:
            Certificate.read(one, its)
        assert str(caught.value).startswith(message)


def test_the_certificate_for_development_is_kept_and_renewed(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "dev-cert"
    cert, key = dev_certificate(folder)
    assert stat.S_IMODE(Path(key).stat().st_mode) == 0o600
    first = Certificate.read(cert, key)
    assert dev_certificate(folder) == (cert, key)
    assert Certificate.read(cert, key) == first
    Path(key).write_text("lost")
    dev_certificate(folder)
    assert Certificate.read(cert, key).chain != first.chain


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadCertificate, match="cannot be written"):
        dev_certificate(tmp_path / "file" / "dev-cert")


def test_whom_a_certificate_names(authority: Authority) -> None:
    cert, _ = authority.pair("ada@example.org")
    own = read_chain(cert, Path(cert).read_bytes())[0]
    subject = subject_of(own.public_bytes(serialization.Encoding.DER))
    assert subject == own.subject.rfc4514_string() != ""
