"""A chat whose English, Spanish and French Apertium translates, and whose Arabic a phrase book."""

import os
from pathlib import Path

from hubbub.apps.chat import Config, Limits
from hubbub.apps.chat import app as chat
from hubbub.translation.settings import (
    ApertiumSettings,
    LibreTranslateSettings,
    TranslationSettings,
)

EASY = (10_000.0, 10_000.0)

app = chat(
    Config(
        database=str(Path(os.environ["CHAT_FOLDER"]) / "chat.sqlite3"),
        limits=Limits(
            messages_per_user=EASY,
            messages_per_room=EASY,
            actions_per_user=EASY,
            sign_ins_per_address=EASY,
        ),
        translation=TranslationSettings(
            # The programs start beside browsers, on cold files and busy processors.
            timeout_s=18,
            backend_timeout_s=18,
            backends=[
                ApertiumSettings(pivots=["es"]),
                LibreTranslateSettings(url=os.environ["PHRASE_BOOK"]),
            ],
        ),
    )
)
