"""TLS as other programs see it: Python's ssl, openssl, curl, and our own client."""

import asyncio
import logging
import re
import shutil
import ssl
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect as websockets_connect

import hubbub
from hubbub import (
    App,
    CertificatePair,
    Failure,
    Request,
    ServerSettings,
    TlsSettings,
    Trust,
    WebSocket,
)
from tests.authority import Authority

pytestmark = pytest.mark.anyio

HOSTS = ("localhost", "127.0.0.1")


def make_app() -> App:
    app = App()

    @app.message("/echo")
    def echo(ws: WebSocket, msg: str | bytes) -> str | bytes:
        return msg

    @app.get("/whoami")
    def whoami(req: Request) -> dict[str, Any]:
        tls = req.tls
        assert tls is not None
        return {
            "version": tls.version,
            "name": tls.server_name,
            "resumed": tls.resumed,
            "client": tls.client_subject,
        }

    return app


def context_for(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.file)


def put(new: str, old: str) -> None:
    Path(new).replace(old)


async def run(*command: str, stdin: bytes = b"", fails: bool = False) -> str:
    """What a program prints; it ends well, or fails as expected."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs the Debian package {command[0]}")
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await asyncio.wait_for(program.communicate(stdin), 20)
    text = out.decode(errors="replace")
    assert (program.returncode != 0) == fails, text
    return text


async def test_websockets_echoes_by_wss_with_compression(authority: Authority) -> None:
    tls = authority.settings(*HOSTS)
    async with (
        hubbub.serve(make_app(), port=0, tls=tls) as server,
        websockets_connect(server.ws_url + "/echo", ssl=context_for(authority)) as ws,
    ):
        assert server.url.startswith("https://")
        for message in ("hello", "x" * 100_000, b"", b"\0" * 300_000):
            await ws.send(message)
            assert await ws.recv() == message


async def test_our_client_by_wss(authority: Authority) -> None:
    async with hubbub.serve(make_app(), port=0, tls=authority.settings(*HOSTS)) as server:
        trust = Trust(ca=authority.file)
        for message in ("hello", "x" * 100_000, b"\0" * 300_000):
            async with hubbub.connect(server.ws_url + "/echo", tls=trust) as ws:
                ws.send(message)
                assert await asyncio.wait_for(ws.recv(), 5) == message
        stats = server.stats()
        # In our own loop the engine is the client's, too, and counts both sides.
        assert (stats.tls_handshakes, stats.tls_resumed) in ((3, 2), (6, 4))
        assert stats.tls_failures == 0


async def test_a_client_that_does_not_believe(authority: Authority) -> None:
    async with hubbub.serve(make_app(), port=0, tls=authority.settings("localhost")) as server:
        url = server.ws_url + "/echo"
        with pytest.raises(Failure, match="UnknownIssuer"):
            await hubbub.connect(url)
        # 127.0.0.1 is not what the certificate says.
        with pytest.raises(Failure, match="not valid for name"):
            await hubbub.connect(url, tls=Trust(ca=authority.file))
        named = Trust(ca=authority.file, server_name="localhost")
        for trust in (named, Trust(without_verification=True)):
            async with hubbub.connect(url, tls=trust) as ws:
                ws.send("hello")
                assert await asyncio.wait_for(ws.recv(), 5) == "hello"


async def test_wss_to_a_port_without_tls() -> None:
    async with hubbub.serve(make_app(), port=0) as server:
        url = server.ws_url.replace("ws://", "wss://") + "/echo"
        with pytest.raises(Failure, match="TLS failed"):
            await hubbub.connect(url, tls=Trust(without_verification=True))


async def test_a_page_of_the_same_host_may_open_a_websocket_only_by_https(
    authority: Authority,
) -> None:
    async with hubbub.serve(make_app(), port=0, tls=authority.settings(*HOSTS)) as server:
        trust = Trust(ca=authority.file)
        url = server.ws_url + "/echo"
        async with hubbub.connect(url, tls=trust, headers={"origin": server.url}):
            pass
        foreign = {"origin": server.url.replace("https", "http")}
        with pytest.raises(hubbub.HandshakeRejected, match="403"):
            await hubbub.connect(url, tls=trust, headers=foreign)


@pytest.mark.parametrize("required", [False, True], ids=["optional", "required"])
async def test_clients_show_their_certificate(authority: Authority, required: bool) -> None:
    cert, key = authority.pair(*HOSTS)
    own, its_key = authority.pair("ada@example.org")
    tls = TlsSettings(
        cert=cert,
        key=key,
        client_ca=authority.file,
        client_auth="required" if required else "optional",
    )
    async with hubbub.serve(make_app(), port=0, tls=tls) as server:
        ask = ("curl", "-sS", "--cacert", authority.file, server.url + "/whoami")
        assert '"client":"' in await run(*ask, "--cert", own, "--key", its_key)
        answer = await run(*ask, fails=required)
        assert ("certificate required" if required else '"client":null') in answer
        assert server.stats().tls_failures == int(required)
        trust = Trust(ca=authority.file, cert=own, key=its_key)
        async with hubbub.connect(server.ws_url + "/echo", tls=trust) as ws:
            ws.send("hello")
            assert await asyncio.wait_for(ws.recv(), 5) == "hello"


async def test_openssl_agrees_and_resumes_its_session(authority: Authority, tmp_path: Path) -> None:
    request = b"GET /whoami HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    async with hubbub.serve(make_app(), port=0, tls=authority.settings(*HOSTS)) as server:
        where = server.url.removeprefix("https://")
        client = ("openssl", "s_client", "-connect", where, "-servername", "LOCALHOST", "-ign_eof")
        trusting = (*client, "-CAfile", authority.file, "-verify_return_error")
        session = str(tmp_path / "session.pem")
        for version in ("TLSv1.2", "TLSv1.3"):
            flag = "-" + version.lower().replace("v", "").replace(".", "_")
            out = await run(*trusting, flag, "-sess_out", session, stdin=request)
            assert f'"version":"{version}","name":"localhost","resumed":false' in out
            out = await run(*trusting, flag, "-sess_in", session, stdin=request)
            assert f'"version":"{version}","name":"localhost","resumed":true' in out


async def test_what_is_old_is_refused(authority: Authority) -> None:
    async with hubbub.serve(make_app(), port=0, tls=authority.settings(*HOSTS)) as server:
        where = server.url.removeprefix("https://")
        old = ("openssl", "s_client", "-connect", where, "-cipher", "ALL:@SECLEVEL=0")
        for flag in ("-tls1", "-tls1_1"):
            assert "SSL alert number" in await run(*old, flag, fails=True)
        # RFC 5746 §4.5 lets a server refuse any renegotiation; 'R' asks for one.
        client = ("openssl", "s_client", "-connect", where, "-tls1_2")
        assert "no renegotiation" in await run(*client, stdin=b"R\n", fails=True)


async def test_names_choose_certificates(authority: Authority) -> None:
    first, second = authority.pair("first.test"), authority.pair("*.second.test")
    tls = TlsSettings(cert=first[0], key=first[1], more=(CertificatePair(*second),))
    async with hubbub.serve(make_app(), port=0, tls=tls) as server:
        for name in ("first.test", "a.second.test"):
            trust = Trust(ca=authority.file, server_name=name)
            async with hubbub.connect(server.ws_url + "/echo", tls=trust):
                pass
        with pytest.raises(Failure, match="not valid for name"):
            nobody = Trust(ca=authority.file, server_name="nobody.test")
            await hubbub.connect(server.ws_url + "/echo", tls=nobody)


async def test_certificates_are_replaced_while_connections_stay(authority: Authority) -> None:
    settings = authority.settings("old.test")
    async with hubbub.serve(make_app(), port=0, tls=settings) as server:
        url = server.ws_url + "/echo"
        old = Trust(ca=authority.file, server_name="old.test")
        new = Trust(ca=authority.file, server_name="new.test")
        async with hubbub.connect(url, tls=old) as stays:
            renewed = authority.settings("new.test")
            put(renewed.cert, settings.cert)
            # Half of it is no pair: nothing changes.
            assert not server.reload_certificates()
            async with hubbub.connect(url, tls=old):
                pass
            put(renewed.key, settings.key)
            assert server.reload_certificates()
            async with hubbub.connect(url, tls=new):
                pass
            stays.send("still here")
            assert await asyncio.wait_for(stays.recv(), 5) == "still here"


async def test_a_server_with_a_bad_certificate_does_not_start(authority: Authority) -> None:
    cert, _ = authority.pair("localhost")
    with pytest.raises(hubbub.BadCertificate, match="not the key"):
        async with hubbub.serve(
            make_app(), port=0, tls=TlsSettings(cert=cert, key=authority.pair("localhost")[1])
        ):
            pass


async def test_why_a_handshake_failed_is_logged(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "hubbub")

    async def untrusting(port: int) -> None:
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("localhost", port, ssl=ssl.create_default_context())

    async def plain(port: int) -> None:
        reader, writer = await asyncio.open_connection("localhost", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert b"this port speaks TLS" in await reader.read()
        writer.close()

    async def silent(port: int) -> None:
        reader, writer = await asyncio.open_connection("localhost", port)
        writer.write(b"\x16\x03\x01")
        await reader.read()
        writer.close()

    settings = ServerSettings(head_timeout_s=0.2)
    for fail, reason in (
        # Some send an alert before they go.
        (untrusting, "received fatal alert|the peer has gone in the middle of it"),
        (plain, "plain HTTP where TLS is spoken"),
        (silent, "it took too long"),
    ):
        caplog.clear()
        tls = authority.settings(*HOSTS)
        async with hubbub.serve(make_app(), port=0, tls=tls, settings=settings) as server:
            port = int(server.url.rpartition(":")[2])
            await fail(port)
            async with asyncio.timeout(5):
                while not any("TLS" in line for line in caplog.messages):
                    await asyncio.sleep(0.01)
            # A second one within ten seconds is counted, and not told.
            await fail(port)
            async with asyncio.timeout(5):
                while server.stats().tls_failures < 2:
                    await asyncio.sleep(0.01)
        (line,) = [line for line in caplog.messages if "TLS" in line]
        assert line.startswith("TLS handshake failed: ")
        assert re.search(reason, line)
        assert ", with 127.0.0.1:" in line
