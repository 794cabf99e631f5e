"""Words and what narrows them down; a result leads to its place, however far back."""

from playwright.sync_api import Page, expect

from .conftest import People, Person
from .past import COUNT, FRENCH, PER_DAY, ZONE, chat, day_of, text_of
from .test_sending import Held

__all__ = ["chat"]


def look_for(person: Person, query: str) -> None:
    page = person.page
    if page.locator(".panel input[type=search]").count() == 0:
        page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_label("Search messages").fill(query)
    page.get_by_label("Search messages").press("Enter")


def results(page: Page) -> list[str]:
    return page.locator(".result-text").all_inner_texts()


def test_filters_narrow_down(people: People) -> None:
    person = people.enter("Ada", **ZONE)
    page = person.page
    birds = [text_of(number) for number in range(COUNT) if number % 50 == 7 and number != FRENCH]
    for query, found in (
        ("kingfisher", birds[::-1]),
        ("martin-pecheur lang:fr", [text_of(FRENCH)]),
        ("from:igor lang:fr", [text_of(FRENCH)]),
        ("from:hana lang:fr", []),
        ("from:nobody kingfisher", []),
        (f"kingfisher before:{day_of(107)}", birds[:1]),
        (f"kingfisher after:{day_of(207)}", birds[-1:]),
        ("kingfisher in:lobby", birds[::-1]),
        ('"entry 007"', [text_of(7)]),
    ):
        look_for(person, query)
        if found:
            expect(page.locator(".result-text")).to_have_text(found)
        else:
            expect(page.get_by_role("heading", name="Nothing was found")).to_be_visible()
    look_for(person, "kingfisher before:yesterday")
    expect(page.locator(".panel .error")).to_contain_text("2026-01-31")
    assert person.troubles == []


def test_more_results_and_one_room_only(people: People) -> None:
    person = people.enter("Bo", **ZONE)
    page = person.page
    look_for(person, "entry")
    expect(page.locator(".result")).to_have_count(30)
    page.get_by_role("button", name="More results").click()
    expect(page.locator(".result")).to_have_count(60)
    found = results(page)
    # An entry is in one place only, and the newest comes first.
    assert found == sorted(set(found), reverse=True)
    # In a room of one's own, nothing of it is found when one looks only there.
    page.get_by_role("button", name="New room").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Elsewhere")
    dialog.get_by_role("button", name="Create").click()
    expect(page.locator(".room-head h1")).to_have_text("Elsewhere")
    page.get_by_label("In this room only").check()
    look_for(person, "entry")
    expect(page.get_by_role("heading", name="Nothing was found")).to_be_visible()
    page.get_by_label("In this room only").uncheck()
    look_for(person, "kingfisher")
    page.locator(".result").first.click()
    expect(page.locator(".room-head h1")).to_have_text("Lobby")
    expect(page.locator(".message.is-marked")).to_contain_text("kingfisher")
    expect(page.locator(".message.is-marked")).to_be_in_viewport()
    assert person.troubles == []


def test_a_result_leads_to_its_place_far_back(people: People) -> None:
    person = people.enter("Cleo", color_scheme="dark", reduced_motion="reduce", **ZONE)
    page = person.page
    look_for(person, f"kingfisher before:{day_of(107)}")
    page.locator(".result", has_text=text_of(7)).click()
    target = page.locator(".message.is-marked")
    expect(target).to_contain_text(text_of(7))
    expect(target).to_be_in_viewport()
    expect(target).to_be_focused()
    # With what stands around it, and its day.
    for number in range(PER_DAY):
        expect(person.message(text_of(number))).to_have_count(1)
    # Once more, after scrolling away: it is shown again.
    page.evaluate("document.querySelector('.timeline').scrollTop = 1e6")
    expect(target).not_to_be_in_viewport()
    page.locator(".result", has_text=text_of(7)).click()
    expect(target).to_be_in_viewport()
    # News elsewhere takes nobody away from there, nor the words out of their box.
    page.locator("#composer").focus()
    people.enter("Dora", **ZONE).sent("news at the end of the room")
    expect(page.locator(".to-latest .count")).to_have_text("1")
    expect(target).to_be_in_viewport()
    expect(page.locator("#composer")).to_be_focused()
    page.get_by_role("button", name="To the newest message").click()
    expect(person.message("news at the end of the room")).to_be_in_viewport()
    assert person.troubles == []


def test_more_results_are_of_what_was_looked_for(people: People) -> None:
    held = Held(are_answers=True, method="search")
    held.is_on = False
    person = people.enter("Elsa", between=held, **ZONE)
    page = person.page
    look_for(person, "entry")
    expect(page.locator(".result")).to_have_count(30)
    # Words that are only typed are not looked for yet.
    page.get_by_label("Search messages").fill("kingfisher")
    page.get_by_role("button", name="More results").click()
    expect(page.locator(".result")).to_have_count(60)
    assert len(set(results(page))) == 60
    # An answer that comes late is of no use.
    held.is_on = True
    look_for(person, "kingfisher")
    expect(page.get_by_text("Searching")).to_be_visible()
    while not held.is_holding:
        page.wait_for_timeout(20)
    held.is_on = False
    look_for(person, '"entry 007"')
    expect(page.locator(".result-text")).to_have_text([text_of(7)])
    held.release()
    person.sent("and what came afterwards")
    expect(page.locator(".result-text")).to_have_text([text_of(7)])
    assert person.troubles == []
