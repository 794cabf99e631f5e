"""The chat with a bridge to a network of IRC, as it is served while one of the two is killed."""

import os

from hubbub import App
from hubbub.apps.chat import Config as ChatConfig
from hubbub.apps.chat import Limits
from hubbub.bridges.chat import Config
from hubbub.bridges.chat import app as make

MANY = (10_000.0, 100_000.0)


def app() -> App[ChatConfig]:
    limits = Limits(**dict.fromkeys(Limits.__struct_fields__, MANY))
    rooms = {f"room{n}": f"#room{n}" for n in range(int(os.environ.get("CHAOS_IRC_ROOMS", "0")))}
    bridge = {
        "kind": "irc",
        "server": f"127.0.0.1:{os.environ['CHAOS_IRC_PORT']}",
        "tls": False,
        "rooms": rooms or {"lobby": "#lobby"},
        "mode": os.environ.get("CHAOS_IRC_MODE", "relay"),
        "burst_lines": 1000,
        "lines_per_s": 1000.0,
    }
    database = os.environ["CHAOS_STORAGE"]
    return make(
        Config(database=database, limits=limits, backup_every="0s", bridges={"net": bridge})
    )
