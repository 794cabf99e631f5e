"""Four people of four languages in one room, and who translates for them."""

import re

from playwright.sync_api import expect

from .conftest import People, Person

SAID = {
    "en": "Good morning everybody",
    "es": "No tengo tiempo hoy",
    "fr": "Le chat mange la souris",
    "ar": "أهلا بكم في الغرفة",
}
# What Apertium makes of it, over Spanish where it has no pair; Arabic is the phrase book's.
SEEN = {
    "en": {
        "es": "I do not have time today",
        "fr": "The cat eats the mouse",
        "ar": "Welcome to the room",
    },
    "es": {
        "en": "Buenos días Todo el mundo",
        "fr": "El gato come el ratón",
        "ar": "Bienvenidos a la sala",
    },
    "fr": {
        "en": "Bonjour Tout le monde",
        "es": "je n'ai pas temps aujourd'hui",
        "ar": "Bienvenue dans la salle",
    },
    "ar": {
        "en": "صباح الخير جميعًا",
        "es": "ليس لدي وقت اليوم",
        "fr": "القطة تأكل الفأرة",
    },
}
LOCALES = {"en": "en-GB", "es": "es-ES", "fr": "fr-FR", "ar": "ar-EG"}

STUB = """
window.asked = [];
window.Translator = {
  availability: async () => "available",
  create: async ({sourceLanguage, targetLanguage}) => ({
    translate: async (text) => {
      window.asked.push([sourceLanguage, targetLanguage, text]);
      return `${targetLanguage} of ${text}`;
    },
  }),
};
"""


def write_in(person: Person, lang: str, text: str) -> None:
    """Says something in a language that is chosen, so that no guess decides."""
    person.page.locator(".writing-in").select_option(LOCALES.get(lang, lang))
    person.say(text)
    expect(person.page.locator(".is-sending")).to_have_count(0)
    # Marks of code are not shown.
    shown = person.page.locator(".message .text", has_text=text.replace("`", ""))
    expect(shown).to_be_visible()


def test_each_reads_in_their_own_language(people: People) -> None:
    nicks = {"en": "Ada", "es": "Luis", "fr": "Béa", "ar": "ليلى"}
    there = {lang: people.enter(nicks[lang], LOCALES[lang]) for lang in nicks}

    # Who is there, and who is writing.
    for person in there.values():
        person.page.evaluate("document.activeElement.blur()")
        if not person.page.locator(".panel").is_visible():
            person.page.keyboard.press("Alt+M")
        expect(person.page.locator(".people .is-present")).to_have_count(4)
    there["fr"].page.locator("#composer").press_sequentially("Le")
    expect(there["en"].page.locator(".typists")).to_contain_text("Béa")
    expect(there["ar"].page.locator(".typists")).to_contain_text("Béa")

    for lang, person in there.items():
        write_in(person, lang, SAID[lang])
    for reader, seen in SEEN.items():
        page = there[reader].page
        for author, text in seen.items():
            message = page.locator(".message", has_text=text)
            shown = message.locator(".text")
            expect(shown).to_be_visible()
            expect(shown).to_have_attribute("lang", re.compile(f"^{reader}"))
            # The original is one tap away, and the translation another.
            message.locator(".toggle-original").click()
            message = page.locator(".message", has_text=SAID[author])
            original = message.locator(".text")
            expect(original).to_be_visible()
            expect(original).to_have_attribute("dir", "rtl" if author == "ar" else "ltr")
            expect(original).to_have_attribute("lang", LOCALES[author])
            message.locator(".toggle-original").click()
            expect(page.locator(".message .text", has_text=text)).to_be_visible()
    assert there["ar"].page.locator("html").get_attribute("dir") == "rtl"
    assert there["fr"].page.locator("html").get_attribute("lang") == "fr"

    # Nothing is lost by loading the page anew.
    for reader, seen in SEEN.items():
        page = there[reader].page
        page.reload()
        expect(page.locator(".message .text", has_text=SAID[reader])).to_be_visible()
        for text in seen.values():
            expect(page.locator(".message .text", has_text=text)).to_be_visible()
    assert [person.troubles for person in there.values()] == [[], [], [], []]


def test_the_browser_translates_where_it_can(people: People) -> None:
    spanish = people.enter("Marta", "es-ES")
    write_in(spanish, "es", "Mañana llueve en `casa` @Noor")
    reader = people.enter("Noor", "en-GB", script=STUB)
    shown = reader.page.locator(".message .text", has_text="en of Mañana llueve")
    expect(shown).to_be_visible()
    expect(shown.locator("code")).to_have_text("casa")
    assert ["es", "en", "Mañana llueve en [0] [1]"] in reader.page.evaluate("window.asked")
    assert "/translate" not in reader.asked
    assert reader.troubles == []


def test_what_cannot_be_translated_is_shown_as_it_is(people: People) -> None:
    finn = people.enter("Aino", "fi-FI")
    finn.say("Huomenta kaikille täällä")
    write_in(finn, "fi-FI", "Nähdään taas huomenna")
    reader = people.enter("Ron", "en-GB")
    for text in ("Huomenta kaikille täällä", "Nähdään taas huomenna"):
        message = reader.page.locator(".message", has_text=text)
        expect(message.locator(".text")).to_have_text(text)
        expect(message.locator(".translation.is-failed")).to_be_visible()
    # What the author has said it is, another does not correct.
    expect(message.locator(".translation select")).to_have_count(0)
    # Where it was a guess, one choice says what it really is; then there is nothing to translate.
    guessed = reader.page.locator(".message", has_text="Huomenta kaikille täällä")
    guessed.locator(".translation select").select_option("zxx")
    expect(guessed.locator(".translation")).to_have_count(0)
    assert reader.troubles == []
