"""Servers of IRC from Debian, started by tests: killed, and started again on the same port."""

import asyncio
import os
import signal
import socket
import time
from pathlib import Path

from hubbub.bridges.irc.line import Line, parse
from tests.programs import program

WITHIN_S = 20.0

_NGIRCD = """
[Global]
Name = irc.test.invalid
Info = A network for tests
AdminInfo1 = nobody
Listen = 127.0.0.1
Ports = {port}
MotdPhrase = hello
Network = Test
PidFile = {folder}/ngircd.pid
ServerUID = {user}
ServerGID = {group}
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 30
MaxPenaltyTime = 0
PingTimeout = 60
[Options]
DNS = no
Ident = no
PAM = no
WebircPassword = {webirc}
[SSL]
"""

_NGIRCD_TLS = """
CertFile = {certificate}
KeyFile = {key}
Ports = {tls}
"""

_INSPIRCD = """
<server name="irc.test.invalid" description="A network for tests" network="Test" id="00A">
<admin name="nobody" nick="nobody" email="nobody@test.invalid">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect allow="*" timeout="30" pingfreq="60" hardsendq="8388608" softsendq="1048576"
 recvq="65536" threshold="100000" commandrate="1000000" localmax="5000" globalmax="5000"
 resolvehostnames="no" useident="no" fakelag="no" modes="+x" limit="5000" maxchans="100">
<pid file="{folder}/inspircd.pid">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="{folder}/inspircd.log">
<options prefixquit="" syntaxhints="no" announcets="no" hostintopic="no" nosnoticestack="no"
 defaultmodes="not" splitwhois="no">
<performance netbuffersize="10240" somaxconn="128" softlimit="12800" clonesonconnect="no">
<security hidekills="" allowcoreunload="no" announceinvites="dynamic" hidemodes="" maxtargets="20"
 customversion="" runasuser="" runasgroup="" restrictbannedusers="no">
<limits maxnick="30" maxchan="64" maxmodes="20" maxident="11" maxquit="255" maxtopic="307"
 maxkick="255" maxaway="200" maxhost="64">
<dns server="127.0.0.1" timeout="1">
<files motd="{folder}/motd">
<module name="cap">
<module name="ircv3">
<module name="ircv3_batch">
<module name="ircv3_capnotify">
<module name="ircv3_chghost">
<module name="ircv3_ctctags">
<module name="ircv3_echomessage">
<module name="ircv3_labeledresponse">
<module name="ircv3_msgid">
<module name="ircv3_servertime">
<module name="namesx">
<module name="uhnames">
<module name="cgiirc">
<cgihost type="webirc" password="{webirc}" mask="127.0.0.0/8">
"""

_INSPIRCD_TLS = """
<module name="ssl_gnutls">
<sslprofile name="tests" provider="gnutls" certfile="{certificate}" keyfile="{key}">
<bind address="127.0.0.1" port="{tls}" type="clients" sslprofile="tests">
"""

WEBIRC = "webirc-password"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Network:
    """One server.

    Args:
        kind: "ngircd" or "inspircd".
        folder: Where its files are.
        certificate: The files of its certificate and key, if it speaks TLS on a port of its own.
    """

    def __init__(self, kind: str, folder: Path, certificate: tuple[str, str] | None = None) -> None:
        self.kind = kind
        self.certificate = certificate
        self.binary = program(kind, kind)
        self.folder = folder / kind
        self.folder.mkdir()
        self.port, self.tls_port = _free_port(), _free_port()
        self.clients: list[Peer] = []
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "Network":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self.clients:
            client.close()
        await self.kill()

    async def start(self) -> None:
        """Starts it, and waits until it answers."""
        is_ngircd = self.kind == "ngircd"
        text = _NGIRCD if is_ngircd else _INSPIRCD
        names: dict[str, object] = {
            "user": os.getuid(),
            "group": os.getgid(),
            "webirc": WEBIRC,
        }
        if self.certificate is not None:
            text += _NGIRCD_TLS if is_ngircd else _INSPIRCD_TLS
            certificate, key = self.certificate
            names |= {"certificate": certificate, "key": key, "tls": self.tls_port}
        path = self.folder / f"{self.kind}.conf"
        path.write_text(text.format(port=self.port, folder=self.folder, **names))
        (self.folder / "motd").write_text("hello\n")
        arguments = ["-n", "-f", str(path)]
        if self.kind == "inspircd":
            arguments = ["--nofork", "--runasroot", f"--config={path}"]
        with (self.folder / "output").open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                self.binary,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        async with asyncio.timeout(WITHIN_S):
            while True:
                if self._process.returncode is not None:
                    raise AssertionError((self.folder / "output").read_text()[-2000:])
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return

    async def kill(self, how: int = signal.SIGKILL) -> None:
        """Kills it."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.send_signal(how)
            await process.wait()

    async def peer(self, nick: str, *channels: str) -> "Peer":
        """Somebody on the network, in these channels."""
        peer = Peer(nick, *await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(peer)
        peer.send("CAP REQ :message-tags", f"NICK {nick}", f"USER {nick} 0 * :{nick}", "CAP END")
        await peer.next("001")
        for channel in channels:
            peer.send(f"JOIN {channel}")
            await peer.next("366", channel)
        return peer


class Peer:
    """An ordinary client that remembers what it has heard."""

    def __init__(
        self, nick: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.nick = nick
        self.heard: list[Line] = []
        self.times: list[tuple[float, Line]] = []
        self._reader, self._writer = reader, writer
        self._at = 0
        self._news = asyncio.Event()
        self.is_gone = False
        self._reading = asyncio.create_task(self._read())

    def send(self, *lines: str) -> None:
        if not self._writer.is_closing():
            self._writer.write("".join(f"{line}\r\n" for line in lines).encode())

    def send_raw(self, raw: bytes) -> None:
        self._writer.write(raw)

    async def _read(self) -> None:
        try:
            while raw := await self._reader.readline():
                line = parse(raw)
                if line.command == "PING":
                    self.send(f"PONG :{line.params[-1]}")
                else:
                    self.heard.append(line)
                    self.times.append((time.time(), line))
                self._news.set()
        except (OSError, ValueError):
            pass
        self.is_gone = True
        self._news.set()

    async def next(self, command: str, *params: str) -> Line:
        """The next line with this command and, among its parameters, all of these."""
        try:
            async with asyncio.timeout(WITHIN_S):
                while True:
                    while self._at < len(self.heard):
                        line = self.heard[self._at]
                        self._at += 1
                        if line.command == command and all(one in line.params for one in params):
                            return line
                    if self.is_gone:
                        break
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass
        raise AssertionError(f"{self.nick}: no {command} {params}: {self.heard[-8:]}")

    async def said(self, channel: str) -> tuple[str, str]:
        """Who says what next in a channel, without what parts the nicks."""
        line = await self.next("PRIVMSG", channel)
        return line.source.partition("!")[0], line.params[1].replace("\u200b", "")

    def texts(self, channel: str) -> list[str]:
        """All that was said in a channel."""
        return [
            line.params[1].replace("\u200b", "")
            for line in self.heard
            if line.command == "PRIVMSG" and line.params[0] == channel
        ]

    def close(self) -> None:
        self._reading.cancel()
        self._writer.close()
