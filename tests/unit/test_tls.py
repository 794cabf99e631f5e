"""Certificates are read again when their files change, and only if they can be used."""

import asyncio
from pathlib import Path

import pytest
from tests.authority import Authority

from hubbub.config import CertificatePair, TlsSettings
from hubbub.errors import BadCertificate, Misuse
from hubbub.tls import AllCertificates, Certificates, Trust


def put(new: TlsSettings, old: TlsSettings) -> None:
    """As certbot does it: another file takes the name."""
    Path(new.cert).replace(old.cert)
    Path(new.key).replace(old.key)


def test_settings_that_contradict_each_other(authority: Authority) -> None:
    cert, key = authority.pair("localhost")
    with pytest.raises(Misuse, match="client_auth needs client_ca"):
        Certificates(TlsSettings(cert=cert, key=key, client_auth="required"))
    with pytest.raises(Misuse, match="nothing is verified"):
        Trust(ca=cert, without_verification=True).native()


def test_every_file_is_checked(authority: Authority, tmp_path: Path) -> None:
    cert, key = authority.pair("localhost")
    gone = str(tmp_path / "gone.pem")
    for settings in (
        TlsSettings(cert=cert, key=key, more=(CertificatePair(cert, gone),)),
        TlsSettings(cert=cert, key=key, client_ca=gone, client_auth="optional"),
    ):
        with pytest.raises(BadCertificate, match="cannot be read") as caught:
            Certificates(settings)
        assert caught.value.path == gone
    for trust in (Trust(ca=gone), Trust(cert=gone)):
        with pytest.raises(BadCertificate, match="cannot be read"):
            trust.native()


def test_listeners_with_the_same_settings_share(authority: Authority) -> None:
    one, other = authority.settings("a.test"), authority.settings("b.test")
    certificates = AllCertificates((one, None, one, other))
    assert certificates.context(one) is certificates.context(one) is not None
    assert certificates.context(one) is not certificates.context(other)
    assert certificates.context(None) is None


def test_a_bad_pair_leaves_the_old_one(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    settings = authority.settings("localhost")
    certificates = AllCertificates((settings,))
    assert certificates.reload()
    good = Path(settings.key).read_bytes()
    Path(settings.key).write_bytes(Path(authority.pair("localhost")[1]).read_bytes())
    assert not certificates.reload()
    assert "certificates stay as they are" in caplog.text
    assert settings.key in caplog.text
    Path(settings.key).write_bytes(good)
    assert certificates.reload()


def test_files_that_change_are_read_once_they_rest(authority: Authority) -> None:
    settings = authority.settings("localhost")
    certificates = Certificates(settings)
    reads: list[str] = []

    async def watch() -> None:
        read = asyncio.Event()

        def count() -> bool:
            reads.append(Path(settings.cert).read_text())
            read.set()
            return True

        certificates.try_reload = count  # type: ignore[method-assign]
        watching = asyncio.create_task(certificates.watch(0.01))
        renewed = authority.settings("localhost")
        put(renewed, settings)
        await asyncio.wait_for(read.wait(), 5)
        watching.cancel()

    asyncio.run(watch())
    assert reads[0] == Path(settings.cert).read_text()


def test_a_trust_is_made_once(authority: Authority) -> None:
    assert Trust(ca=authority.file).native() is Trust(ca=authority.file).native()
