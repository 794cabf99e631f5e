"""A chat whose English, Spanish and French Apertium translates, and whose Arabic a phrase book."""

import os
from pathlib import Path

from hubbub import Request
from hubbub.apps.chat import Config, Limits
from hubbub.apps.chat import app as chat
from hubbub.apps.chat.sign_in import COOKIE
from hubbub.testing import PseudoBackend
from hubbub.translation import Translator, install
from hubbub.translation.backends import Apertium

PHRASES = {
    "Good morning everybody": {"ar": "صباح الخير جميعًا"},
    "No tengo tiempo hoy": {"ar": "ليس لدي وقت اليوم"},
    "Le chat mange la souris": {"ar": "القطة تأكل الفأرة"},
    "أهلا بكم في الغرفة": {
        "en": "Welcome to the room",
        "es": "Bienvenidos a la sala",
        "fr": "Bienvenue dans la salle",
    },
}
OTHERS = ("en", "es", "fr")


def words(text: str, source: str, target: str) -> str:
    """A sentence of the phrase book; one that is not in it stays."""
    return PHRASES.get(text.strip(), {}).get(target, text)


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
    )
)
phrase_book = PseudoBackend(
    [("ar", to) for to in OTHERS] + [(of, "ar") for of in OTHERS], words=words
)
translator = Translator([Apertium(pivots=["es"]), phrase_book])


def allowed(request: Request, api_key: str) -> str | None:
    """Whoever is signed in."""
    account = app.state.chat.people.whose(request.cookies.get(COOKIE, ""))
    return account.user if account is not None else None


install(app, translator, allow=allowed)
