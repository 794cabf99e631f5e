"""Who owns a room decides who speaks, who helps, who goes, and what it is about."""

from typing import Any

from playwright.sync_api import Locator, expect

from .conftest import People, Person


def enter(people: People, nick: str, room: str, **options: Any) -> Person:
    """Somebody in a room, with its members beside it."""
    person = people.enter(nick, reduced_motion="reduce", **options)
    person.say(f"/join {room}")
    expect(person.page.locator(".room-head h1")).to_have_text(room)
    return person


def make(people: People, nick: str, room: str) -> Person:
    """Somebody who has made a room."""
    person = people.enter(nick, reduced_motion="reduce")
    person.page.get_by_role("button", name="New room").click()
    dialog = person.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(room)
    dialog.get_by_role("button", name="Create").click()
    expect(person.page.locator(".room-head h1")).to_have_text(room)
    return person


def member(person: Person, nick: str) -> Locator:
    return person.page.locator(".people .person", has_text=nick)


def do(person: Person, nick: str, what: str, *, is_certain: bool = False) -> None:
    """Chooses from the menu of a member, and says yes where one is asked."""
    # Whoever has just come goes to the list of those who are here: until then nothing stands still.
    expect(member(person, nick).locator(".is-present")).to_be_visible()
    member(person, nick).click()
    person.page.get_by_role("menuitem", name=what, exact=True).click()
    if is_certain:
        person.page.get_by_role("dialog").get_by_role("button", name=what).click()


def test_silence_voice_and_help(people: People) -> None:
    ada = make(people, "Ada", "Garden")
    bo = enter(people, "Bo", "Garden", color_scheme="dark")
    # Who is nobody here moderates nobody.
    member(bo, "Ada").click()
    expect(bo.page.get_by_role("menuitem")).to_have_text(["Send a direct message", "Mention"])
    bo.page.keyboard.press("Escape")

    do(ada, "Bo", "Mute for ten minutes")
    expect(member(bo, "Bo")).to_contain_text("muted")
    bo.say("can anybody hear me")
    mine = bo.message("can anybody hear me")
    expect(mine.locator(".failed")).to_contain_text("you are muted in this room")
    expect(ada.message("can anybody hear me")).to_have_count(0)
    do(ada, "Bo", "Unmute")
    expect(member(bo, "Bo")).not_to_contain_text("muted")
    mine.get_by_role("button", name="Try again").click()
    expect(mine.locator(".failed")).to_have_count(0)
    expect(ada.message("can anybody hear me")).to_have_count(1)

    # Where only those with a voice may speak, it can be given.
    ada.page.get_by_role("button", name="More about this room").click()
    ada.page.get_by_role("menuitem", name="Room settings").click()
    ada.page.get_by_label("Only those with a voice may speak").check()
    ada.page.get_by_role("button", name="Save", exact=True).click()
    expect(ada.page.get_by_role("dialog")).to_have_count(0)
    bo.say("and now")
    expect(bo.message("and now").locator(".failed")).to_contain_text("voice")
    do(ada, "Bo", "Give voice")
    expect(member(bo, "Bo")).to_contain_text("voice")
    bo.message("and now").get_by_role("button", name="Try again").click()
    expect(ada.message("and now")).to_have_count(1)
    do(ada, "Bo", "Take voice")
    expect(member(bo, "Bo")).not_to_contain_text("voice")

    # A moderator sets the topic, and takes away what others have said; an owner stays untouched.
    do(ada, "Bo", "Make moderator")
    expect(member(bo, "Bo")).to_contain_text("moderator")
    bo.say("/topic What grows in **May**")
    for person in (ada, bo):
        expect(person.page.locator(".topic")).to_have_text("What grows in **May**")
    said = ada.sent("something unkind")
    bo.menu(bo.message("something unkind"), "Delete")
    bo.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(said.locator(".deleted")).to_be_visible()
    member(bo, "Ada").click()
    expect(bo.page.get_by_role("menuitem")).to_have_count(2)
    bo.page.keyboard.press("Escape")
    do(ada, "Bo", "No longer moderator")
    expect(member(bo, "Bo")).not_to_contain_text("moderator")
    assert [ada.troubles, bo.troubles] == [[], []]


def test_out_and_back_in(people: People) -> None:
    dora = make(people, "Dora", "Orchard")
    eve = enter(people, "Eve", "Orchard")
    do(dora, "Eve", "Remove from room", is_certain=True)
    expect(eve.page.locator(".notice")).to_contain_text("Orchard")
    expect(eve.page.locator(".room-head h1")).to_have_text("Lobby")
    expect(member(dora, "Eve")).to_have_count(0)
    # Whoever was only shown the door may come back.
    eve.say("/join Orchard")
    expect(eve.page.locator(".room-head h1")).to_have_text("Orchard")
    expect(member(dora, "Eve")).to_have_count(1)

    # From the name beside a message, too; a ban is for longer.
    eve.sent("and here I am again")
    dora.message("and here I am again").locator(".author").click()
    dora.page.get_by_role("menuitem", name="Ban", exact=True).click()
    dora.page.get_by_role("dialog").get_by_role("button", name="Ban").click()
    expect(eve.page.locator(".room-head h1")).to_have_text("Lobby")
    eve.page.get_by_role("link", name="Orchard").click()
    expect(eve.page.locator(".notice.is-error").last).to_contain_text("banned")
    dora.say("/unban Eve")
    expect(dora.page.locator("#composer")).to_have_value("")
    expect(dora.page.locator(".notice.is-error")).to_have_count(0)
    eve.page.reload()
    eve.say("/join Orchard")
    expect(member(dora, "Eve")).to_have_count(1)
    assert [dora.troubles, eve.troubles] == [[], []]
