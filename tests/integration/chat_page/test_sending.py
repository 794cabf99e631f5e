"""One's own message: shown at once, shown once, the same row from the first moment on."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import WebSocketRoute, expect

from .conftest import People

_ID = re.compile(r"^[0-9A-Z]{26}$")
_SENDING = re.compile(r"\bis-sending\b")

WATCHED = """(text) => {
  window.most = 0;
  const count = () => {
    const found = [...document.querySelectorAll(".message")];
    window.most = Math.max(window.most, found.filter((one) => one.innerText.includes(text)).length);
  };
  new MutationObserver(count).observe(document.querySelector(".messages"), {
    attributes: true, characterData: true, childList: true, subtree: true,
  });
}"""
"""Counts, after each change of the page, how often a text is shown."""

NEVER_SURE = """
window.LanguageDetector = {
  availability: async () => "available",
  create: async () => ({detect: () => new Promise(() => {})}),
};
"""


class Held:
    """Stands between a page and the server, and holds calls of a method back, or the answers to it.

    Args:
        are_answers: Which of the two.
        method: The method.

    Attributes:
        is_on: Whether it does so now.
        passed: What else the server has told.
    """

    def __init__(self, *, are_answers: bool, method: str = "say") -> None:
        self.is_on = True
        self.passed: list[str] = []
        self._are_answers = are_answers
        self._method = method
        self._asked: set[int] = set()
        self._kept: list[str] = []
        self._send: Callable[[str], None] | None = None

    def __call__(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        self._send = page.send if self._are_answers else server.send

        def asked(frame: str | bytes) -> None:
            for line in str(frame).splitlines():
                command = json.loads(line)
                is_it = self.is_on and command.get("rpc", {}).get("method") == self._method
                if is_it:
                    self._asked.add(command["id"])
                if is_it and not self._are_answers:
                    self._kept.append(line)
                else:
                    server.send(line)

        def answered(frame: str | bytes) -> None:
            for line in str(frame).splitlines():
                if self._are_answers and json.loads(line).get("id") in self._asked:
                    self._kept.append(line)
                else:
                    page.send(line)
                    self.passed.append(line)

        page.on_message(asked)
        server.on_message(answered)

    @property
    def is_holding(self) -> bool:
        """Whether something has been held back."""
        return bool(self._kept)

    def release(self) -> None:
        """Lets go what was held back."""
        assert self._send is not None
        assert self._kept
        for line in self._kept:
            self._send(line)


def test_what_arrives_before_its_answer_is_shown_once(people: People) -> None:
    held = Held(are_answers=True)
    ada = people.enter("Ada", between=held)
    ada.page.evaluate(WATCHED, "only once")
    ada.say("only once")
    # The event says that it is kept, although the answer is still on its way.
    mine = ada.message("only once")
    expect(mine).to_have_attribute("data-id", _ID)
    expect(mine.locator(".sending")).to_have_count(0)
    held.release()
    ada.sent("another")
    expect(mine).to_have_count(1)
    assert ada.page.evaluate("window.most") == 1
    assert ada.troubles == []


def test_a_row_stays_the_same_when_its_message_has_arrived(people: People) -> None:
    held = Held(are_answers=False)
    bea = people.enter("Bea", between=held)
    bea.say("still the same row")
    mine = bea.message("still the same row")
    expect(mine).to_have_class(_SENDING)
    mine.hover()
    bea.page.evaluate("() => { document.querySelector('.is-sending').dataset.seen = 'yes'; }")
    held.release()
    expect(mine).to_have_attribute("data-id", _ID)
    expect(mine).to_have_attribute("data-seen", "yes")
    # The pointer has not moved, and still the tools are there.
    expect(mine.locator(".tools")).to_be_visible()
    assert bea.troubles == []


def test_nobody_waits_for_a_browser_that_ponders_a_language(people: People) -> None:
    eve = people.enter("Eve", script=NEVER_SURE)
    eve.say("quite long enough for a detector")
    mine = eve.message("quite long enough for a detector")
    expect(mine).to_be_visible()
    expect(mine).to_have_attribute("data-id", _ID)
    assert eve.troubles == []


@pytest.mark.parametrize("text", ["same again", "```\nsame\n```"])
def test_the_same_twice_is_two_messages_in_order(people: People, text: str) -> None:
    ada = people.enter("Cleo" if "`" in text else "Dan")
    word = text.strip("`\n")
    before = ada.message(word).count()
    ada.say(text)
    ada.say(text)
    ada.sent("behind them")
    expect(ada.message(word)).to_have_count(before + 2)
    ids = ada.page.locator(".message").evaluate_all("all => all.map((one) => one.dataset.id)")
    assert ids == sorted(ids)
    ada.page.reload()
    expect(ada.message(word)).to_have_count(before + 2)
    assert ada.troubles == []


def test_a_page_that_came_without_tls_speaks_and_says_what_it_cannot(people: People) -> None:
    # What browsers take from pages of other machines that come without TLS.
    gil = people.enter(
        "Gil",
        script="delete Crypto.prototype.randomUUID; delete Navigator.prototype.clipboard;",
    )
    mine = gil.sent("said over plain HTTP")
    gil.menu(mine, "Copy text")
    expect(gil.page.locator(".notice")).to_contain_text("does not allow copying")
    assert gil.troubles == []


def test_a_key_that_an_input_method_takes_does_nothing_else(people: People) -> None:
    hal = people.enter("Hal")
    page = hal.page
    looking = page.get_by_label("Search messages")
    page.keyboard.press("Alt+s")
    expect(looking).to_be_focused()
    for box in (page.locator("#composer"), page.locator("#room-filter")):
        # "Lobby" in part, which would be found.
        box.fill("ob")
        box.evaluate(
            """async (box) => {
              // Safari tells only when a composition has ended, by the code of what was taken.
              for (const composition of [{isComposing: true}, {keyCode: 229}]) {
                for (const key of ["Enter", "Escape"]) {
                  const how = {key, bubbles: true, cancelable: true, ...composition};
                  box.dispatchEvent(new KeyboardEvent("keydown", how));
                }
              }
              await new Promise(requestAnimationFrame);
            }"""
        )
        expect(box).to_have_value("ob")
        expect(box).to_be_focused()
        expect(looking).to_be_visible()
    assert hal.troubles == []


def test_what_was_said_today_was_said_yesterday_when_the_day_is_over(people: People) -> None:
    ian = people.enter("Ian")
    ian.page.clock.install()
    ian.page.reload()
    expect(ian.page.locator(".messages, .empty").first).to_be_visible()
    ian.sent("before midnight")
    day = ian.page.locator(".day").last
    expect(day).to_have_text("Today")
    # Nothing else happens in the room.
    ian.page.clock.fast_forward("24:00:00")
    expect(day).to_have_text("Yesterday")
    assert ian.troubles == []
