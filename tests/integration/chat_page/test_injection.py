"""What strangers write stays text, wherever the page shows it."""

from playwright.sync_api import Dialog, Page, expect

from . import hostile
from .conftest import People, Person

HOSTILE_TRANSLATOR = """
window.Translator = {
  availability: async () => "available",
  create: async () => ({
    translate: async (text) =>
      `${text} <img src=x onerror="window.ran=1"> [x](javascript:window.ran=1)`,
  }),
};
"""


def pages(limit: int = 3800) -> list[str]:
    """All hostile texts, as many in one message as fit."""
    made: list[str] = []
    for text in hostile.TEXTS:
        if made and len(made[-1]) + len(text) < limit:
            made[-1] += "\n\n" + text
        else:
            made.append(text)
    return made


def check(page: Page) -> None:
    found = page.evaluate(hostile.FOUND)
    assert {key: value for key, value in found.items() if value is not None} == hostile.NOTHING


def say(person: Person, text: str) -> None:
    # Two slashes stand for one, and for no command.
    person.say(text)
    expect(person.page.locator("#composer")).to_have_value("")


def test_five_hundred_hostile_texts_run_nowhere(people: People) -> None:
    assert len(set(hostile.TEXTS)) >= 500
    mallory = people.enter("Mallory", "en-GB")
    victim = people.enter("Victor", "en-GB")
    dialogs: list[str] = []

    def opened(told: Dialog) -> None:
        dialogs.append(told.message)
        told.dismiss()

    for person in (mallory, victim):
        person.page.on("dialog", opened)
    for text in pages():
        say(mallory, text)
    say(mallory, "the end of it")
    for person in (mallory, victim):
        expect(person.page.locator(".message", has_text="the end of it")).to_be_visible()
        expect(person.page.locator(".is-sending, .is-failed")).to_have_count(0)
        person.page.wait_for_load_state("networkidle")
        check(person.page)
    # As history, in an answer, edited, and found by the search.
    victim.page.reload()
    expect(victim.page.locator(".message", has_text="the end of it")).to_be_visible()
    check(victim.page)
    victim.page.keyboard.press("Alt+S")
    victim.page.locator(".panel input[type=search]").fill("script")
    victim.page.keyboard.press("Enter")
    expect(victim.page.locator(".result").first).to_be_visible()
    assert victim.page.locator(".panel :is(img, script, iframe)").count() == 0
    assert victim.page.evaluate("window.ran") is None
    assert dialogs == []
    assert [person.troubles for person in (mallory, victim)] == [[], []]


def test_a_hostile_translation_is_text(people: People) -> None:
    writer = people.enter("Olga", "es-ES")
    writer.page.locator(".writing-in").select_option("es-ES")
    writer.say("Un texto inocente")
    reader = people.enter("Nina", "en-GB", script=HOSTILE_TRANSLATOR)
    shown = reader.page.locator(".message .text", has_text="Un texto inocente <img src=x")
    expect(shown).to_be_visible()
    check(reader.page)
    assert reader.troubles == []


def test_names_of_rooms_and_topics_are_text(people: People) -> None:
    maker = people.enter("Petra", "en-GB")
    maker.page.get_by_role("button", name="New room").click()
    dialog = maker.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Tea & Cake")
    dialog.get_by_label("Topic").fill("<img src=x onerror=window.ran=1>")
    dialog.get_by_role("button", name="Create").click()
    expect(maker.page.locator(".topic")).to_have_text("<img src=x onerror=window.ran=1>")
    expect(maker.page.get_by_role("heading", name="Tea & Cake")).to_be_visible()
    assert maker.page.evaluate("window.ran") is None
    assert maker.page.locator("main img").count() == 0
    assert maker.troubles == []
