"""A browser, a chat, and people in it."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    WebSocketRoute,
    expect,
)

from ...programs import data
from ...serving import ROOT, serving
from ..browser import chromium

# Two busy cores, and as many pages as there are people.
expect.set_options(timeout=30_000)

ALONE = "delete globalThis.Translator; delete globalThis.LanguageDetector;"
"""What this browser could translate and detect itself is not always the same."""

STATIC = ROOT / "python/hubbub/apps/chat/static"


@dataclass(frozen=True)
class Chat:
    """A chat that runs.

    Attributes:
        address: Its `host:port`.
        folder: Where it keeps things.
    """

    address: str
    folder: Path


@dataclass
class Person:
    """Somebody at a page of their own.

    Attributes:
        page: Their page.
        context: Their browser's cookies and language.
        troubles: What the browser complained about: refused scripts, errors.
        asked: The paths of all requests that the page has made.
    """

    page: Page
    context: BrowserContext
    troubles: list[str] = field(default_factory=list[str])
    asked: list[str] = field(default_factory=list[str])

    def say(self, text: str) -> None:
        """Writes a message and sends it."""
        box = self.page.locator("#composer")
        box.fill(text)
        box.press("Enter")

    def message(self, text: str) -> Locator:
        """The messages in which this stands."""
        return self.page.locator(".message", has_text=text)

    def sent(self, text: str) -> Locator:
        """Says something, and returns the row in which it stands when it has arrived."""
        self.say(text)
        # What was in the box is shown when the box is empty, and kept when no row says it is not.
        expect(self.page.locator("#composer")).to_have_value("")
        expect(self.page.locator(".message").last).to_be_visible()
        expect(self.page.locator(".is-sending")).to_have_count(0)
        last = self.page.locator(".message").last.get_attribute("data-id")
        return self.page.locator(f".message[data-id='{last}']")

    def menu(self, message: Locator, entry: str) -> None:
        """Chooses from the menu of a message."""
        message.hover()
        message.locator(".tools .icon-button").last.click()
        self.page.get_by_role("menuitem", name=entry).click()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not (STATIC / "index.html").exists():
        pytest.fail("the page has not been built: make setup")
    with chromium() as browser:
        yield browser


@contextmanager
def house(folder: Path) -> Generator[Chat]:
    """A chat that keeps its things in a folder, and may find some there."""
    for mode in ("eng-spa", "fr-es"):
        data(f"/usr/share/apertium/modes/{mode}.mode", f"apertium-{mode}")
    with (
        pytest.MonkeyPatch.context() as patch,
        serving("tests/integration/chat_page/phrase_book.py:app") as phrases,
    ):
        patch.setenv("CHAT_FOLDER", str(folder))
        patch.setenv("PHRASE_BOOK", f"http://{phrases}")
        with serving("tests/integration/chat_page/app.py:app") as address:
            yield Chat(address, folder)


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    with house(tmp_path_factory.mktemp("chat")) as made:
        yield made


@pytest.fixture
def people(browser: Browser, chat: Chat) -> Iterator["People"]:
    people = People(browser, chat)
    yield people
    people.leave()


class People:
    """Opens pages and signs people in."""

    def __init__(self, browser: Browser, chat: Chat) -> None:
        self._browser = browser
        self._chat = chat
        self._contexts: list[BrowserContext] = []

    def stranger(
        self,
        locale: str = "en-GB",
        *,
        script: str = ALONE,
        between: Callable[[WebSocketRoute], None] | None = None,
        **options: object,
    ) -> Person:
        """Somebody who has just opened the page.

        Args:
            locale: The language of their browser.
            script: What runs in the page before everything else.
            between: What stands between the page's WebSocket and the server.
            **options: More of Playwright's options of a context.
        """
        context = self._browser.new_context(locale=locale, **options)  # type: ignore[arg-type]
        self._contexts.append(context)
        context.set_default_timeout(45_000)
        context.add_init_script(script)
        person = Person(context.new_page(), context)
        page = person.page
        if between is not None:
            page.route_web_socket("**/connection/websocket", between)

        def complained(told: ConsoleMessage) -> None:
            # That a stranger is one, and that a pair has no translator, are answers like others.
            if told.type == "error" and "Failed to load resource" not in told.text:
                person.troubles.append(told.text)

        page.on("console", complained)
        page.on("pageerror", lambda error: person.troubles.append(str(error)))
        page.on("request", lambda request: person.asked.append(urlsplit(request.url).path))
        page.goto(f"http://{self._chat.address}/")
        return person

    def enter(
        self,
        nick: str,
        locale: str = "en-GB",
        *,
        script: str = ALONE,
        between: Callable[[WebSocketRoute], None] | None = None,
        **options: object,
    ) -> Person:
        """Somebody who has come in as a guest."""
        person = self.stranger(locale, script=script, between=between, **options)
        person.page.locator("input[name=nick]").fill(nick)
        person.page.locator("button[type=submit]").click()
        expect(person.page.locator(".messages, .empty").first).to_be_visible()
        return person

    def leave(self) -> None:
        """Everybody goes."""
        for context in self._contexts:
            context.close()
