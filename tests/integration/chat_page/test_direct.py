"""Conversations of two, and the marks of what has not been read."""

import re

from playwright.sync_api import Locator, expect

from .conftest import People, Person


def link(person: Person, name: str) -> Locator:
    return person.page.locator(".room-link", has_text=name)


def test_a_conversation_of_two(people: People) -> None:
    ada, bo, eve = people.enter("Ada"), people.enter("Bo", color_scheme="dark"), people.enter("Eve")
    ada.page.locator(".people .person", has_text="Bo").click()
    ada.page.get_by_role("menuitem", name="Send a direct message").click()
    expect(ada.page.locator(".room-head h1")).to_have_text("Bo")
    expect(ada.page.locator("#composer")).to_be_focused()
    ada.sent("psst")

    # It comes by itself, marked as meant for one; nobody else learns of it.
    expect(link(bo, "Ada").locator(".count.is-mention")).to_contain_text("1")
    expect(bo.page).to_have_title(re.compile(r"^\(1\) "))
    expect(bo.page.get_by_role("heading", name="Direct messages")).to_be_visible()
    bo.page.reload()
    expect(link(bo, "Ada").locator(".count.is-mention")).to_contain_text("1")
    link(bo, "Ada").click()
    expect(bo.message("psst")).to_be_visible()
    expect(bo.page.locator(".new-line")).to_be_visible()
    expect(link(bo, "Ada").locator(".count")).to_have_count(0)
    bo.sent("what is it")
    expect(ada.message("what is it")).to_be_visible()
    expect(link(ada, "Bo").locator(".count")).to_have_count(0)
    expect(eve.page.get_by_role("heading", name="Direct messages")).to_have_count(0)

    # From the name beside a message the same conversation opens, not another.
    link(bo, "Lobby").click()
    bo.sent("hello lobby")
    link(ada, "Lobby").click()
    ada.message("hello lobby").locator(".author").click()
    ada.page.get_by_role("menuitem", name="Send a direct message").click()
    expect(ada.message("psst")).to_be_visible()
    expect(ada.page.locator(".room-link", has_text="Bo")).to_have_count(1)
    # And it is there after a reload, read as it was.
    bo.page.reload()
    expect(link(bo, "Ada")).to_be_visible()
    expect(link(bo, "Ada").locator(".count")).to_have_count(0)
    assert [one.troubles for one in (ada, bo, eve)] == [[], [], []]


def test_what_is_unread_is_marked_until_it_is_seen(people: People) -> None:
    fay = people.enter("Fay")
    fay.page.get_by_role("button", name="New room").click()
    dialog = fay.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Attic")
    dialog.get_by_role("button", name="Create").click()
    expect(fay.page.locator(".room-head h1")).to_have_text("Attic")
    lobby = link(fay, "Lobby")
    gus = people.enter("Gus")
    gus.sent("first of three")
    expect(lobby.locator(".count")).to_contain_text("1")
    expect(lobby.locator(".count.is-mention")).to_have_count(0)
    gus.sent("second, for @Fay")
    # A mention outdoes what is merely new.
    expect(lobby.locator(".count.is-mention")).to_contain_text("1")
    gus.sent("third of three")
    expect(fay.page).to_have_title("(3) Attic – Hubbub")
    # They are counted by the server as well as by the page.
    fay.page.reload()
    expect(lobby.locator(".count.is-mention")).to_contain_text("1")
    expect(fay.page).to_have_title("(3) Attic – Hubbub")

    lobby.click()
    expect(fay.page.locator(".message.is-meant")).to_contain_text("second, for @Fay")
    following = fay.page.locator(".new-line ~ .message")
    expect(following).to_have_count(3)
    expect(lobby.locator(".count")).to_have_count(0)
    expect(fay.page).to_have_title("Lobby – Hubbub")
    # What comes under one's eyes is read.
    gus.sent("fourth, seen at once")
    expect(fay.message("fourth, seen at once")).to_be_visible()
    expect(lobby.locator(".count")).to_have_count(0)
    fay.page.reload()
    expect(fay.message("fourth, seen at once")).to_be_visible()
    expect(fay.page.locator(".room-link .count")).to_have_count(0)
    expect(fay.page.locator(".new-line")).to_have_count(0)
    assert [fay.troubles, gus.troubles] == [[], []]
