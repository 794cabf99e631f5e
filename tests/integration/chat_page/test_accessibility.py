"""The page for those who do not see it, and for those who use no mouse."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ...serving import ROOT
from .conftest import People, Person

AXE = (ROOT / "client/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}


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
    person.say("A **message** with `code`, @Amy and https://example.org/")
    message = page.locator(".message").last
    expect(page.locator(".is-sending")).to_have_count(0)
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
