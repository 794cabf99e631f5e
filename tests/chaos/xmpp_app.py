"""The chat bridged to a room on an XMPP server, as it is served while one of the two is killed."""

import json
import os

from hubbub import App
from hubbub.apps.chat import Config as ChatConfig
from hubbub.apps.chat import Limits
from hubbub.bridges.chat import Config
from hubbub.bridges.chat import app as make

MANY = (10_000.0, 100_000.0)


def app() -> App[ChatConfig]:
    limits = Limits(**dict.fromkeys(Limits.__struct_fields__, MANY))
    bridges = {"jab": json.loads(os.environ["CHAOS_XMPP"])}
    database = os.environ["CHAOS_STORAGE"]
    return make(Config(database=database, limits=limits, backup_every="0s", bridges=bridges))
