"""A connection that is gone: what is written waits, and is said once when it is back."""

import json

from playwright.sync_api import BrowserContext, WebSocketRoute, expect

from .conftest import People, Person


class Cable:
    """Between a page and the server; can be cut, and can swallow what the server answers.

    Attributes:
        is_cut: Whether nothing goes through.
        is_deaf: Whether the page hears no answers.
        is_lossy: Whether the server does not hear what has been read.
        lost: What it has not heard.
        listed: The lists of rooms that the page was told since it could be heard again.
    """

    def __init__(self) -> None:
        self.is_cut = False
        self.is_deaf = False
        self.is_lossy = False
        self.lost: list[str] = []
        self.listed: list[str] = []
        self._page: WebSocketRoute | None = None

    def __call__(self, page: WebSocketRoute) -> None:
        if self.is_cut:
            page.close()
            return
        self._page = page
        server = page.connect_to_server()

        def answered(frame: str | bytes) -> None:
            for line in str(frame).splitlines():
                if not self.is_deaf or json.loads(line) == {}:
                    page.send(line)
                if '"rooms":' in line and not self.is_lossy:
                    self.listed.append(line)

        def asked(frame: str | bytes) -> None:
            for line in str(frame).splitlines():
                if self.is_lossy and json.loads(line).get("rpc", {}).get("method") == "read":
                    self.lost.append(line)
                else:
                    server.send(line)

        page.on_message(asked)
        server.on_message(answered)

    def cut(self, context: BrowserContext) -> None:
        """No way to the server any more, by this or by other means."""
        self.is_cut = True
        context.route("**/connection/**", lambda route: route.abort())
        assert self._page is not None
        self._page.close()

    def mend(self, context: BrowserContext) -> None:
        """All is well again."""
        self.is_cut = self.is_deaf = False
        context.unroute("**/connection/**")


def told(person: Person, others: Person, text: str) -> None:
    """Both have it, once, and it is on its way no longer."""
    expect(others.message(text)).to_have_count(1)
    expect(person.message(text)).to_have_count(1)
    expect(person.message(text).locator(".sending")).to_have_count(0)


def test_what_is_written_without_a_connection_is_said_later_and_once(people: People) -> None:
    cable = Cable()
    ada = people.enter("Ada", between=cable, reduced_motion="reduce")
    bo = people.enter("Bo")
    banner = ada.page.locator(".banner.is-offline")
    expect(banner).to_have_count(0)
    cable.cut(ada.context)
    expect(banner).to_contain_text("What you write will be sent as soon as it is back.")
    written = ["written in the dark", "and a second line", "and a third"]
    for text in written:
        ada.say(text)
        expect(ada.message(text)).to_contain_text("Will be sent when you are online")
    bo.sent("is anybody there")
    # Whoever shuts the page by mistake loses nothing.
    cable.mend(ada.context)
    expect(banner).to_have_count(0)
    for text in written:
        told(ada, bo, text)
    # In their order, behind what was said before them.
    ids = ada.page.locator(".message").evaluate_all("all => all.map((one) => one.dataset.id)")
    assert ids == sorted(ids)
    shown = ada.page.locator(".message .text").all_inner_texts()
    assert [one for one in shown if one in written] == written
    assert ada.troubles == []


def test_what_waits_outlives_the_page(people: People) -> None:
    cable = Cable()
    cleo = people.enter("Cleo", between=cable)
    dan = people.enter("Dan")
    cable.cut(cleo.context)
    expect(cleo.page.locator(".banner.is-offline")).to_be_visible()
    cleo.say("kept over a reload")
    expect(cleo.message("kept over a reload")).to_contain_text("Will be sent")
    cleo.page.reload()
    cable.mend(cleo.context)
    told(cleo, dan, "kept over a reload")
    assert cleo.troubles == []


def test_an_answer_that_is_lost_makes_no_second_message(people: People) -> None:
    cable = Cable()
    eve = people.enter("Eve", between=cable)
    fritz = people.enter("Fritz")
    # The server has it, and the page does not know.
    cable.is_deaf = True
    eve.say("heard, but not answered")
    expect(fritz.message("heard, but not answered")).to_have_count(1)
    cable.cut(eve.context)
    expect(eve.page.locator(".banner.is-offline")).to_be_visible()
    expect(eve.message("heard, but not answered")).to_contain_text("Will be sent")
    cable.mend(eve.context)
    told(eve, fritz, "heard, but not answered")
    fritz.sent("and what came afterwards")
    told(fritz, eve, "and what came afterwards")
    expect(eve.message("heard, but not answered")).to_have_count(1)
    expect(fritz.message("heard, but not answered")).to_have_count(1)
    assert eve.troubles == []


def test_a_correction_that_is_refused_is_not_lost(people: People) -> None:
    def between(page: WebSocketRoute) -> None:
        server = page.connect_to_server()

        def asked(frame: str | bytes) -> None:
            for line in str(frame).splitlines():
                command = json.loads(line)
                if command.get("rpc", {}).get("method") == "edit":
                    error = {"code": 429, "message": "slow down", "temporary": True}
                    page.send(json.dumps({"id": command["id"], "error": error}))
                else:
                    server.send(line)

        page.on_message(asked)

    gus = people.enter("Gus", between=between)
    gus.sent("a word and a half")
    box = gus.page.locator("#composer")
    box.press("ArrowUp")
    expect(box).to_have_value("a word and a half")
    gus.say("a word and a whole sentence")
    expect(gus.page.locator(".notice")).to_contain_text("slow down")
    expect(box).to_have_value("a word and a whole sentence")
    expect(gus.page.locator(".composer-context")).to_contain_text("Editing")
    assert gus.troubles == []


def test_what_has_been_seen_is_read_though_the_connection_broke_meanwhile(people: People) -> None:
    cable = Cable()
    cable.is_lossy = True
    hanna = people.enter("Hanna", between=cable)
    hanna.sent("I am here")
    ivo = people.enter("Ivo")
    hanna.page.bring_to_front()
    ivo.sent("look at this")
    expect(hanna.message("look at this")).to_be_visible()
    # The server has not heard that it was read.
    while not cable.lost:
        hanna.page.wait_for_timeout(20)
    cable.cut(hanna.context)
    expect(hanna.page.locator(".banner.is-offline")).to_be_visible()
    cable.is_lossy = False
    cable.mend(hanna.context)
    expect(hanna.page.locator(".banner.is-offline")).to_have_count(0)
    while not cable.listed:
        hanna.page.wait_for_timeout(20)
    hanna.page.evaluate(
        "new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve)))"
    )
    expect(hanna.page.locator(".room-link .count")).to_have_count(0)
    expect(hanna.page).to_have_title("Lobby – Hubbub")
    assert hanna.troubles == []
