"""The demo in a real browser: two windows talk to each other."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from ..serving import serving
from .browser import chromium


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving("examples/demo.py:app") as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context() as context:
        yield context


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go: `HUBBUB_SCREENSHOTS=docs/screenshots` keeps them."""
    return Path(os.environ.get("HUBBUB_SCREENSHOTS", tmp_path))


def opened(context: BrowserContext, url: str, troubles: list[str]) -> Page:
    page = context.new_page()
    # A refused script or style is an error on the console: the policy and the page must agree.
    page.on("console", lambda told: troubles.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(url)
    return page


def test_two_windows_talk(context: BrowserContext, address: str, pictures: Path) -> None:
    troubles: list[str] = []
    one = opened(context, f"http://{address}/", troubles)
    one.get_by_role("link", name="Open the chat").click()
    two = opened(context, f"http://{address}/chat/", troubles)
    for page, name in ((one, "Ada"), (two, "Béa")):
        page.get_by_label("Your name").fill(name)
        page.get_by_label("Your name").press("Enter")
        expect(page.get_by_role("log")).to_contain_text(f"{name} joined")
        expect(page.get_by_role("status")).to_have_text("connected")
    one.get_by_label("Message", exact=True).fill("hello <b>there</b> 🎈")
    one.get_by_role("button", name="Send").click()
    two.get_by_label("Message", exact=True).fill("مرحبا")
    two.get_by_label("Message", exact=True).press("Enter")
    for page in (one, two):
        expect(page.get_by_role("log")).to_contain_text("hello <b>there</b> 🎈")
        expect(page.get_by_role("log")).to_contain_text("مرحبا")
    expect(one.locator("li.mine")).to_have_count(1)
    assert one.locator("li b").count() == 0
    one.screenshot(path=pictures / "chat-ada.png")
    two.screenshot(path=pictures / "chat-bea.png")
    assert troubles == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/chat/"])
def test_pages_fit_a_phone(
    browser: Browser, address: str, path: str, scheme: str, pictures: Path
) -> None:
    troubles: list[str] = []
    size = {"width": 360, "height": 640}
    with browser.new_context(viewport=size, color_scheme=scheme) as context:  # type: ignore[arg-type]
        page = opened(context, f"http://{address}{path}", troubles)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360
        page.screenshot(path=pictures / f"phone{path.rstrip('/').replace('/', '-')}-{scheme}.png")
    assert troubles == []


def test_the_page_comes_back_when_the_server_does(browser: Browser) -> None:
    with browser.new_context() as context:
        with serving("examples/chat.py:app") as address:
            page = opened(context, f"http://{address}/", [])
            expect(page.get_by_role("status")).to_have_text("connected")
        expect(page.get_by_role("status")).to_contain_text("connection lost")
        expect(page.get_by_role("button", name="Send")).to_be_disabled()
        port = address.rpartition(":")[2]
        with serving("examples/chat.py:app", "--port", port):
            expect(page.get_by_role("status")).to_have_text("connected", timeout=15_000)
