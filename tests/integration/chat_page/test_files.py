"""Files that lie elsewhere: a program says where, the page shows them as links."""

import asyncio
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.request import Request, urlopen

import centrifuge
from playwright.sync_api import expect

from .conftest import Chat, People

FILES: list[dict[str, Any]] = [
    {
        "url": "https://files.example/report%20(1).pdf?a=1&b=2",
        "name": "report (1).pdf",
        "type": "application/pdf",
        "size": 1_234_567,
    },
    {"url": "http://files.example/x", "name": "<img src=x onerror=window.ran=1>\u202egnp.exe"},
]
REFUSED = ["javascript:alert(1)", "data:text/html,x", "//files.example/x", "file:///etc/passwd"]


def _cookie(address: str) -> str:
    form = json.dumps({"nick": "Filer"}).encode()
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(f"http://{address}/api/guest", form, headers)) as answer:
        return str(answer.headers["set-cookie"]).partition(";")[0]


async def _say(address: str, cookie: str, wanted: Sequence[dict[str, Any]]) -> list[int]:
    """Says things as a program would; returns the code of each answer, 0 for one that is kept."""
    client = centrifuge.Client(f"ws://{address}/connection/websocket", headers={"Cookie": cookie})
    await client.connect()
    codes: list[int] = []
    for number, one in enumerate(wanted):
        try:
            await client.rpc("say", {"room": "lobby", "nonce": f"{number}", **one})
            codes.append(0)
        except centrifuge.ReplyError as error:
            codes.append(error.code)
    await client.disconnect()
    return codes


def test_files_are_links_and_nothing_else(people: People, chat: Chat) -> None:
    reader = people.enter("Ada")
    refused: list[dict[str, Any]] = [{"files": [{"url": url, "name": "x"}]} for url in REFUSED]
    wanted: list[dict[str, Any]] = [
        {"text": "the report", "files": FILES},
        {"files": FILES[:1]},
        *refused,
    ]
    # The browser's loop runs in this thread.
    with ThreadPoolExecutor() as threads:
        saying = _say(chat.address, _cookie(chat.address), wanted)
        codes = threads.submit(asyncio.run, saying).result()
    assert codes == [0, 0] + [400] * len(REFUSED)
    files = reader.message("the report").locator(".file")
    expect(files).to_have_count(2)
    expect(files.first).to_have_attribute("href", FILES[0]["url"])
    expect(files.first).to_contain_text("report (1).pdf")
    expect(files.first).to_contain_text("1.2 MB")
    expect(files.last).to_contain_text("<img src=x onerror=window.ran=1>")
    for at in range(2):
        expect(files.nth(at)).to_have_attribute("rel", "noopener noreferrer nofollow ugc")
        expect(files.nth(at)).to_have_attribute("target", "_blank")
    # A file needs no words.
    expect(reader.page.locator(".message").last.locator(".file")).to_have_count(1)
    assert reader.page.evaluate("window.ran") is None
    assert reader.page.locator(".messages img").count() == 0
    assert reader.troubles == []
