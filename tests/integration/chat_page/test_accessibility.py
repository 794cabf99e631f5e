"""The page for those who do not see it, and for those who use no mouse."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ...serving import ROOT
from .conftest import People, Person

AXE = (ROOT / "client/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}

REACHABLE = """() => [...document.querySelectorAll(
    "button, a[href], input, select, textarea, summary, [tabindex='0']")]
  .filter((one) => one.tabIndex >= 0 && !one.disabled)
  .filter((one) => one.checkVisibility({visibilityProperty: true}))
  .map((one, at) => { one.dataset.reach = at; return at; })"""
FOCUSED = "() => document.activeElement?.dataset.reach ?? null"


def serious(page: Page) -> list[str]:
    """What axe finds that is serious or worse, each with where."""
    # What is still fading in has other colours than it will have.
    page.evaluate(
        "Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {})))"
    )
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:3]]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def calm(people: People, nick: str, locale: str = "en-GB", **options: Any) -> Person:
    return people.enter(nick, locale, reduced_motion="reduce", **options)


def test_signing_in(people: People) -> None:
    for scheme in ("light", "dark"):
        stranger = people.stranger("en-GB", color_scheme=scheme, reduced_motion="reduce")
        expect(stranger.page.locator("form")).to_be_visible()
        for way in ("As a guest", "New account", "Log in"):
            stranger.page.get_by_role("button", name=way).click()
            assert serious(stranger.page) == []


@pytest.mark.parametrize(
    ("nick", "locale", "scheme"),
    [
        ("Amy", "en-GB", "light"),
        ("Ben", "en-GB", "dark"),
        ("سمير", "ar-EG", "light"),
        ("美咲", "ja-JP", "dark"),
    ],
)
def test_a_room(people: People, nick: str, locale: str, scheme: str) -> None:
    person = calm(people, nick, locale, color_scheme=scheme)
    page = person.page
    message = person.sent("A **message** with `code`, @Amy and https://example.org/")
    message.hover()
    message.locator(".tools button").first.click()
    page.get_by_role("menuitem").first.click()
    expect(message.locator(".reaction")).to_be_visible()
    assert serious(page) == []
    page.keyboard.press("Alt+S")
    expect(page.locator(".panel input[type=search]")).to_be_focused()
    assert serious(page) == []
    page.keyboard.press("Control+/")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert serious(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator(".sidebar-foot .icon-button").last.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert serious(page) == []
    page.keyboard.press("Escape")
    assert person.troubles == []


def test_a_phone(people: People) -> None:
    person = calm(people, "Cleo", **PHONE)
    page = person.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious(page) == []
    page.locator(".room-head .drawer-open").click()
    expect(page.locator(".room-list")).to_be_visible()
    assert serious(page) == []
    page.keyboard.press("Escape")
    expect(page.locator(".room-list")).to_be_hidden()
    assert person.troubles == []


def test_everything_is_reached_by_keyboard(people: People) -> None:
    person = calm(people, "Dora")
    page = person.page
    person.say("https://example.org/ is older")
    person.say("something to stand on")
    expect(page.locator(".message", has_text="something to stand on")).to_be_visible()
    expect(page.locator(".is-sending")).to_have_count(0)
    # Those who have just left go to the other list: until then, nothing stands still.
    expect(page.locator(".people .is-present")).to_have_count(1)
    wanted = set(page.evaluate(REACHABLE))
    assert len(wanted) > 10
    reached: set[int] = set()
    for _ in range(len(wanted) * 2):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at is not None:
            reached.add(int(at))
    assert wanted - reached == set()


def test_a_visit_without_a_mouse(people: People) -> None:
    stranger = people.stranger("en-GB", reduced_motion="reduce")
    page = stranger.page
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.type("Emil")
    page.keyboard.press("Enter")
    box = page.locator("#composer")
    expect(box).to_be_focused()
    page.keyboard.type("first words")
    page.keyboard.press("Enter")
    mine = page.locator(".message", has_text="first words")
    expect(mine).to_be_visible()
    expect(page.locator(".is-sending")).to_have_count(0)

    # The last message is a step above the box: react, edit, and delete it.
    page.keyboard.press("ArrowUp")
    expect(box).to_have_value("first words")
    page.keyboard.type(" and more")
    page.keyboard.press("Enter")
    mine = page.locator(".message", has_text="first words and more")
    expect(mine.locator(".edited")).to_be_visible()
    mine.focus()
    page.keyboard.press("+")
    expect(mine.locator(".reaction")).to_be_visible()
    page.keyboard.press("r")
    expect(box).to_be_focused()
    expect(page.locator(".composer-context")).to_contain_text("Emil")
    page.keyboard.press("Escape")
    expect(page.locator(".composer-context")).to_have_count(0)
    mine.focus()
    page.keyboard.press("Delete")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Tab")
    page.get_by_role("dialog").get_by_role("button", name="Delete").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".deleted").last).to_be_visible()

    # A room, by its name.
    box.focus()
    page.keyboard.type("/help")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.locator("#room-filter")).to_be_focused()
    page.keyboard.type("lob")
    page.keyboard.press("Enter")
    expect(box).to_be_focused()
    # Words that others say are read out.
    other = people.enter("Fritz")
    other.say("can you hear me")
    expect(page.locator("[role=log]")).to_contain_text("can you hear me")
    assert stranger.troubles == []


def test_each_message_is_read_out_also_the_same_words_again(people: People) -> None:
    ida = people.enter("Ida")
    jan = people.enter("Jan")
    for _ in range(2):
        jan.sent("yes")
    jan.sent("no")
    heard = [re.compile(f"Jan.*: .*{word}") for word in ("yes", "yes", "no")]
    expect(ida.page.locator("[role=log] > *")).to_have_text(heard)
    assert ida.troubles == []
