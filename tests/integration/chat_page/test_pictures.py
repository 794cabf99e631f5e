"""The page as it looks: desktop and phone, light and dark, from left and from right.

`HUBBUB_SCREENSHOTS=docs/screenshots` keeps the pictures.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from .conftest import People, Person

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 780}}
READERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "Ada": ("en-GB", "light", DESKTOP),
    "Béa": ("fr-FR", "dark", DESKTOP),
    "ليلى": ("ar-EG", "light", DESKTOP),
    "Luis": ("es-ES", "light", PHONE),
    "سامي": ("ar-EG", "dark", PHONE),
}
SAID = (
    ("Ada", "Good morning everybody"),
    ("Béa", "Le chat mange la souris"),
    ("Luis", "No tengo tiempo hoy"),
    ("ليلى", "أهلا بكم في الغرفة"),
    ("Ada", "The notes are **here**: https://example.org/notes"),
    ("Ada", "```\nasync for text in ws.text():\n    app.publish(room, text)\n```"),
    ("Luis", "/me saluda"),
)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go."""
    return Path(os.environ.get("HUBBUB_SCREENSHOTS", tmp_path))


def test_pictures(people: People, pictures: Path) -> None:
    there: dict[str, Person] = {}
    for nick, (locale, scheme, size) in READERS.items():
        there[nick] = people.enter(
            nick, locale, color_scheme=scheme, reduced_motion="reduce", **size
        )
    ada = there["Ada"].page
    ada.get_by_role("button", name="New room").click()
    ada.get_by_role("dialog").get_by_label("Name").fill("Tea house")
    ada.get_by_role("dialog").get_by_label("Topic").fill("Everybody reads in their own language")
    ada.get_by_role("dialog").get_by_role("button", name="Create").click()
    expect(ada.get_by_role("heading", name="Tea house")).to_be_visible()
    for nick, person in there.items():
        if nick != "Ada":
            person.say("/join Tea house")
            expect(person.page.locator(".room-head h1")).to_have_text("Tea house")
    for nick, text in SAID:
        person = there[nick]
        person.page.locator(".writing-in").select_option(READERS[nick][0])
        person.say(text)
        expect(person.page.locator(".is-sending")).to_have_count(0)
    first = ada.locator(".message").first
    first.hover()
    first.locator(".tools .icon-button").nth(1).click()
    there["Ada"].say("Tea at five?")
    third = there["Béa"].page.locator(".message").nth(2)
    third.hover()
    third.locator(".tools .icon-button").first.click()
    there["Béa"].page.get_by_role("menuitem", name="🎉").click()
    for number, person in enumerate(there.values()):
        expect(person.page.locator(".message")).to_have_count(len(SAID) + 1)
        expect(person.page.locator(".translation.is-working")).to_have_count(0)
        expect(person.page.locator(".reaction")).to_have_count(1)
        width = person.page.viewport_size
        assert width is not None
        assert person.page.evaluate("document.documentElement.scrollWidth") <= width["width"]
        person.page.mouse.move(5, 5)
        name = ("desktop-light", "desktop-dark", "desktop-rtl", "phone-light", "phone-rtl-dark")
        person.page.screenshot(path=pictures / f"chat-{name[number]}.png")
    luis = there["Luis"].page
    luis.locator(".room-head .drawer-open").click()
    expect(luis.locator("#room-filter")).to_be_visible()
    luis.screenshot(path=pictures / "chat-phone-rooms.png")
    stranger = people.stranger("ja-JP", color_scheme="dark", reduced_motion="reduce", **PHONE)
    expect(stranger.page.locator("form")).to_be_visible()
    stranger.page.screenshot(path=pictures / "chat-phone-sign-in.png")
    assert [person.troubles for person in there.values()] == [[]] * len(there)
