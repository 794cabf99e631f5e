"""strophe.js in Chromium reaches prosody and ejabberd through the proxy, and people in a room."""

from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Browser, Page

from hubbub.bridges.xmpp.proxy import ProxySettings, ServerSettings
from tests.integration.bridges.xmpp.servers import PASSWORD, STROPHE, XmppServer
from tests.integration.browser import chromium
from tests.serving import serving

pytestmark = pytest.mark.skipif(
    not STROPHE.exists(), reason="npm's strophe.js is not installed (make setup)"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module", params=["starttls", "direct"])
def address(request: pytest.FixtureRequest, server: XmppServer) -> Iterator[str]:
    port = server.plain if request.param == "starttls" else server.direct
    one = ServerSettings(host="127.0.0.1", port=port, tls=request.param, ca=server.ca)
    settings = ProxySettings(servers={server.domain: one})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROXY_CONFIG", msgspec.json.encode(settings).decode())
        with serving("tests/integration/bridges/xmpp/page_app.py:app") as address:
            yield address


def opened(browser: Browser, address: str, troubles: list[str]) -> Page:
    page = browser.new_page()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(f"http://{address}/")
    return page


def test_two_browsers_talk_in_a_room(browser: Browser, address: str, server: XmppServer) -> None:
    troubles: list[str] = []
    room = f"tea@{server.rooms}"
    people = {name: opened(browser, address, troubles) for name in ("alice", "bob")}
    for name, page in people.items():
        jid = page.evaluate("args => enter(...args)", [name, server.domain, PASSWORD])
        assert jid.startswith(f"{name}@{server.domain}/")
        assert page.evaluate("args => join(...args)", [room, name])
    said = ["<b>héllo</b> & 👋", "x" * 20_000, "]]>", "こんにちは", *(str(n) for n in range(50))]
    for number, text in enumerate(said):
        name = ("alice", "bob")[number % 2]
        people[name].evaluate("args => say(...args)", [room, {"en": text, "fr": f"fr: {text}"}])
        for page in people.values():
            page.wait_for_function("count => heard.length >= count", arg=number + 1)
    expected = [[("alice", "bob")[number % 2], text] for number, text in enumerate(said)]
    for page in people.values():
        assert page.evaluate("heard") == expected
        page.evaluate("leave()")
        page.wait_for_function("window.left")
        page.close()
    assert troubles == []


def test_a_wrong_password(browser: Browser, address: str, server: XmppServer) -> None:
    page = opened(browser, address, [])
    with pytest.raises(Exception, match="AUTHFAIL"):
        page.evaluate("args => enter(...args)", ["alice", server.domain, "wrong"])
    page.close()


def test_another_domain(browser: Browser, address: str) -> None:
    page = opened(browser, address, [])
    with pytest.raises(Exception, match="host-unknown"):
        page.evaluate("args => enter(...args)", ["alice", "elsewhere.test", PASSWORD])
    page.close()
