"""XMPP servers from Debian, prosody and ejabberd: rooms, a component, three accounts."""

import datetime
import os
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.authority import Authority
from tests.programs import program
from tests.serving import ROOT

STROPHE = ROOT / "client/node_modules/strophe.js/dist/strophe.umd.min.js"

PASSWORD = "open sesame"
SECRET = "component secret"
ACCOUNTS = ("alice", "bob", "hub")
START_TIMEOUT_S = 60.0

PROSODY = """
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
certificates = "{folder}"
log = {{ debug = "{folder}/debug.log" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {plain} }}
c2s_direct_tls_ports = {{ {direct} }}
s2s_ports = {{}}
component_ports = {{ {component} }}
http_ports = {{}}
https_ports = {{}}
modules_enabled = {{ "roster", "saslauth", "tls", "disco", "ping", "smacks" }}
modules_disabled = {{ "s2s" }}
authentication = "internal_plain"
storage = "internal"
c2s_require_encryption = true
ssl = {{ certificate = "{certificate}", key = "{key}" }}
VirtualHost "{domain}"
Component "rooms.{domain}" "muc"
    modules_enabled = {{ "muc_mam" }}
    muc_room_locking = false
    muc_room_default_persistent = true
    muc_room_default_public_jids = true
Component "bridge.{domain}"
    component_secret = "{secret}"
"""

EJABBERD = """
hosts: ["{domain}"]
loglevel: info
certfiles: ["{chain}"]
c2s_protocol_options: [no_sslv3, no_tlsv1, no_tlsv1_1]
auth_method: internal
default_db: mnesia
listen:
  - {{port: {plain}, ip: "127.0.0.1", module: ejabberd_c2s, starttls_required: true}}
  - {{port: {direct}, ip: "127.0.0.1", module: ejabberd_c2s, tls: true}}
  - port: {component}
    ip: "127.0.0.1"
    module: ejabberd_service
    hosts: {{"bridge.{domain}": {{password: "{secret}"}}}}
modules:
  mod_roster: {{}}
  mod_disco: {{}}
  mod_ping: {{}}
  mod_stream_mgmt: {{}}
  mod_mam: {{}}
  mod_muc:
    host: "rooms.{domain}"
    access_create: all
    access_persistent: all
    max_user_conferences: 10000
    min_presence_interval: 0
    default_room_options: {{persistent: true, mam: true, anonymous: false}}
"""


@dataclass
class XmppServer:
    """A server of one domain; with `start` and `kill`, again on the same ports.

    Attributes:
        domain: Whose it is; rooms are at `rooms.DOMAIN`, the component is `bridge.DOMAIN`.
        folder: Where it keeps things.
        command: What runs it.
        ca: The file of who has signed its certificate.
        plain: The port with STARTTLS.
        direct: The port with TLS.
        component: The port of components.
    """

    domain: str
    folder: Path
    command: list[str]
    environment: dict[str, str]
    ca: str
    plain: int
    direct: int
    component: int
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    @property
    def rooms(self) -> str:
        """The domain of its rooms."""
        return f"rooms.{self.domain}"

    def start(self) -> None:
        """Starts it, and waits until it listens."""
        log = (self.folder / "output.log").open("ab")
        environment = os.environ | self.environment
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
        )
        log.close()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not all(_listens(port) for port in (self.plain, self.direct, self.component)):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "output.log").read_text(errors="replace"))
            time.sleep(0.02)

    def kill(self) -> None:
        """Ends it without a word."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _free_ports(count: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in taken]
    for one in taken:
        one.close()
    return ports


@contextmanager
def running(kind: str, folder: Path, authority: Authority) -> Generator[XmppServer]:
    """A server, "prosody" or "ejabberd", for as long as the context lasts."""
    server = {"prosody": _prosody, "ejabberd": _ejabberd}[kind](folder, authority)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _prosody(folder: Path, authority: Authority) -> XmppServer:
    path = program("prosody", "prosody")
    domain = "a.test"
    plain, direct, component = _free_ports(3)
    certificate, key = authority.pair(domain)
    accounts = folder / "data" / domain.replace(".", "%2e") / "accounts"
    accounts.mkdir(parents=True)
    for name in ACCOUNTS:
        (accounts / f"{name}.dat").write_text(f'return {{ ["password"] = "{PASSWORD}"; }};\n')
    settings = PROSODY.format(
        folder=folder,
        plain=plain,
        direct=direct,
        component=component,
        certificate=certificate,
        key=key,
        domain=domain,
        secret=SECRET,
    )
    (folder / "prosody.cfg.lua").write_text(settings)
    command = [path, "-F", "--config", str(folder / "prosody.cfg.lua")]
    return XmppServer(domain, folder, command, {}, authority.file, plain, direct, component)


def _ejabberd(folder: Path, authority: Authority) -> XmppServer:
    program("ejabberdctl", "ejabberd")
    domain = "b.test"
    plain, direct, component = _free_ports(3)
    # Its timers do not reach until the year in which the other certificates expire.
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=2)
    certificate, key = authority.pair(domain, expires=expires)
    chain = folder / "chain.pem"
    chain.write_bytes(Path(certificate).read_bytes() + Path(key).read_bytes())
    settings = EJABBERD.format(
        chain=chain, plain=plain, direct=direct, component=component, domain=domain, secret=SECRET
    )
    (folder / "ejabberd.yml").write_text(settings)
    environment = {
        "EJABBERD_CONFIG_PATH": str(folder / "ejabberd.yml"),
        "EJABBERD_LOG_PATH": str(folder / "ejabberd.log"),
        "ERL_CRASH_DUMP": str(folder / "crash.dump"),
        "ERL_LIBS": "/usr/lib/x86_64-linux-gnu",
        "HOME": str(folder),
    }
    registered = "".join(
        f'ejabberd_auth:try_register(<<"{name}">>, <<"{domain}">>, <<"{PASSWORD}">>),'
        for name in ACCOUNTS
    )
    # A node without a name: no port mapper is started, and none is needed.
    command = [program("erl", "erlang-base"), "-noinput", "+K", "true", "-mnesia", "dir"]
    command += [f'"{folder}/mnesia"', "-eval", f"{{ok, _}} = ejabberd:start(), {registered} ok."]
    return XmppServer(
        domain, folder, command, environment, authority.file, plain, direct, component
    )
