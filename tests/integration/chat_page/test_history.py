"""A month of history: read upwards to its beginning and back, and entered at a date."""

from typing import Any

from playwright.sync_api import Page, expect

from .conftest import People, Person
from .past import COUNT, DAYS, PER_DAY, ZONE, chat, day_of, text_of
from .test_sending import Held

__all__ = ["chat"]

SHOWN = """() => [...document.querySelectorAll(".message .text")]
  .map((one) => Number(/\\b\\d{3}\\b/.exec(one.textContent)?.[0] ?? NaN))
  .filter((one) => !Number.isNaN(one))"""
"""The numbers of the entries, as they stand in the page."""

SCROLLED = """async (isUp) => {
  const box = document.querySelector(".timeline");
  const frame = box.getBoundingClientRect();
  const rows = () => [...box.querySelectorAll(".message")];
  const before = rows().length;
  box.scrollTop = isUp ? 150 : box.scrollHeight;
  const top = (one) => one.getBoundingClientRect().top - frame.top;
  const eye = rows().find((one) => top(one) > 100);
  const was = top(eye);
  const begin = performance.now();
  while (rows().length === before && performance.now() - begin < 20000) {
    await new Promise(requestAnimationFrame);
  }
  // Twice, for whatever comes after the layout.
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return {more: rows().length - before, moved: Math.abs(top(eye) - was)};
}"""
"""Scrolls near an edge, waits for more, and tells how far the row that was read has moved."""


def entries(page: Page) -> list[int]:
    found: list[int] = page.evaluate(SHOWN)
    return found


def reader(people: People, nick: str, **options: Any) -> Person:
    person = people.enter(nick, reduced_motion="reduce", **ZONE, **options)
    expect(person.message(text_of(COUNT - 1))).to_be_visible()
    return person


def jump(person: Person, day: str) -> None:
    page = person.page
    page.get_by_role("button", name="More about this room").click()
    page.get_by_role("menuitem", name="Jump to a date").click()
    page.get_by_label("Date", exact=True).fill(day)
    page.get_by_role("button", name="Jump").click()


SCROLLED_MEANWHILE = """() => {
  const [box, list] = [".timeline", ".messages"].map((one) => document.querySelector(one));
  const aim = box.scrollTop - 200;
  window.landed = new Promise((resolve) => {
    list.insertBefore = (...what) => {
      delete list.insertBefore;
      box.scrollTop = aim;
      // Twice, for whatever comes after the layout.
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(box.scrollTop - aim)));
      return list.insertBefore(...what);
    };
  });
}"""
"""When the next row is added, the reader scrolls, too, and the event that says so comes later."""


def test_up_to_the_first_message_and_back(people: People) -> None:
    person = reader(people, "Ada")
    page = person.page
    assert entries(page) == list(range(COUNT - len(entries(page)), COUNT))
    while entries(page)[0] > 0:
        scrolled = page.evaluate(SCROLLED, True)
        assert scrolled["more"] > 0
        # Whoever reads does not lose their line.
        assert scrolled["moved"] <= 1
    assert entries(page) == list(range(COUNT))
    page.evaluate("document.querySelector('.timeline').scrollTop = 0")
    expect(page.locator(".room-start")).to_be_in_viewport()
    expect(page.locator(".day")).to_have_count(DAYS)

    # What others say meanwhile does not move it either, and forgets nothing.
    other = people.enter("Bo", **ZONE)
    other.sent("said while Ada reads the beginning")
    expect(person.message("said while Ada reads the beginning")).to_have_count(1)
    expect(page.locator(".room-start")).to_be_in_viewport()
    assert entries(page) == list(range(COUNT))
    page.get_by_role("button", name="To the newest message").click()
    expect(person.message("said while Ada reads the beginning")).to_be_in_viewport()
    expect(page.locator(".to-latest")).to_have_count(0)
    assert person.troubles == []


def test_a_date_leads_into_the_history_and_on_to_its_end(people: People) -> None:
    person = reader(people, "Cleo", color_scheme="dark")
    page = person.page
    first = 4 * PER_DAY
    jump(person, day_of(first))
    target = person.message(text_of(first))
    expect(target).to_be_in_viewport()
    expect(target).to_be_focused()
    shown = entries(page)
    assert shown == list(range(shown[0], shown[-1] + 1))

    # What is said now is counted at the button that leads there.
    other = people.enter("Dan", **ZONE)
    other.sent("said while Cleo is in the past")
    expect(page.locator(".to-latest .count")).to_have_text("1")
    expect(person.message("said while Cleo is in the past")).to_have_count(0)

    # On foot: nothing is left out, nothing comes twice.
    while entries(page)[-1] < COUNT - 1:
        scrolled = page.evaluate(SCROLLED, False)
        assert scrolled["more"] > 0
    shown = entries(page)
    assert shown == list(range(shown[0], COUNT))
    expect(person.message("said while Cleo is in the past")).to_have_count(1)
    page.evaluate(
        "() => { const box = document.querySelector('.timeline');"
        " box.scrollTop = box.scrollHeight; }"
    )
    expect(page.locator(".to-latest")).to_have_count(0)
    # The end is live again.
    other.sent("said when Cleo is back")
    expect(person.message("said when Cleo is back")).to_be_in_viewport()
    assert person.troubles == []


def test_what_is_said_while_one_comes_back_to_the_newest_is_there(people: People) -> None:
    held = Held(are_answers=True, method="rooms.open")
    held.is_on = False
    person = reader(people, "Fay", between=held)
    page = person.page
    jump(person, day_of(0))
    expect(person.message(text_of(0))).to_be_in_viewport()
    other = people.enter("Gil", **ZONE)

    # What is said overtakes the answer, which was made before it.
    held.is_on = True
    page.get_by_role("button", name="To the newest message").click()
    while not held.is_holding:
        page.wait_for_timeout(10)
    text = "said while Fay is on her way"
    other.sent(text)
    while not any(text in line for line in held.passed):
        page.wait_for_timeout(10)
    held.release()
    expect(person.message(text)).to_be_in_viewport()
    expect(page.locator(".to-latest")).to_have_count(0)
    other.sent("said when she is back")
    expect(person.message("said when she is back")).to_be_in_viewport()
    expect(person.message(text)).to_have_count(1)
    assert person.troubles == []


def test_a_day_without_messages_and_days_beyond_both_ends(people: People) -> None:
    person = reader(people, "Eve")
    page = person.page
    jump(person, "2001-02-03")
    expect(person.message(text_of(0))).to_be_in_viewport()
    expect(page.locator(".room-start")).to_be_visible()
    # Whoever speaks is where they are heard.
    person.sent("back in the present")
    expect(person.message("back in the present")).to_be_in_viewport()
    expect(page.locator(".to-latest")).to_have_count(0)
    assert entries(page)[-1] == COUNT - 1
    assert person.troubles == []


def test_who_scrolls_as_something_is_said_stays_where_they_scroll(people: People) -> None:
    person = reader(people, "Zoe")
    person.page.evaluate(SCROLLED, True)
    person.page.evaluate(SCROLLED_MEANWHILE)
    people.enter("Yan", **ZONE).sent("said while Zoe scrolls")
    assert abs(person.page.evaluate("window.landed")) <= 1
