"""A phrase book with LibreTranslate's routes: translates from and into Arabic here."""

from hubbub import App
from hubbub.testing import PseudoBackend
from hubbub.translation import Translator, install

PHRASES = {
    "Good morning everybody": {"ar": "صباح الخير جميعًا"},
    "No tengo tiempo hoy": {"ar": "ليس لدي وقت اليوم"},
    "Le chat mange la souris": {"ar": "القطة تأكل الفأرة"},
    "The notes are": {"ar": "الملاحظات"},
    "here": {"ar": "هنا"},
    "saluda": {"ar": "يلوّح"},
    "Tea at five?": {"ar": "شاي في الخامسة؟"},
    "أهلا بكم في الغرفة": {
        "en": "Welcome to the room",
        "es": "Bienvenidos a la sala",
        "fr": "Bienvenue dans la salle",
    },
}
OTHERS = ("en", "es", "fr")


def words(text: str, source: str, target: str) -> str:
    """A sentence of the phrase book; one that is not in it stays."""
    phrase = text.strip()
    return text.replace(phrase, PHRASES.get(phrase, {}).get(target, phrase))


app = App()
backend = PseudoBackend([("ar", to) for to in OTHERS] + [(of, "ar") for of in OTHERS], words=words)
install(app, Translator([backend]), allow=lambda request, api_key: "anybody")
