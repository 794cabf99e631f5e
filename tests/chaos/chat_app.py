"""The chat as it is served while it is killed, or full of people: no flood is one here."""

import os

from hubbub import App
from hubbub.apps.chat import Config, Limits
from hubbub.apps.chat import app as make

MANY = (10_000.0, 100_000.0)


def app() -> App[Config]:
    limits = Limits(**dict.fromkeys(Limits.__struct_fields__, MANY))
    return make(Config(database=os.environ["CHAOS_STORAGE"], limits=limits, backup_every="0s"))
