"""Tabs of a real browser on one connection, whose worker may die at any moment."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from ...serving import ROOT, serving
from ..browser import chromium

CLIENT = ROOT / "client"
PAGE = "<!doctype html><title>tab</title><script src=page.js></script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page and its worker, built."""
    esbuild = CLIENT / "node_modules/.bin/esbuild"
    if not esbuild.exists():
        pytest.skip("npm's packages are not installed (make setup)")
    folder = tmp_path_factory.mktemp("page")
    entries = [CLIENT / "tests/tabs/page.ts", CLIENT / "tests/tabs/worker.ts"]
    subprocess.run(
        [esbuild, *entries, "--bundle", f"--outdir={folder}", "--log-level=error"], check=True
    )
    (folder / "index.html").write_text(PAGE)
    return folder


@pytest.fixture
def address(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("PAGE_FOLDER", str(folder))
    with serving("tests/integration/hub/tabs.py:app") as address:
        yield address


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    # Playwright's own ways of waiting are what the policy forbids.
    with browser.new_context(bypass_csp=True) as context:
        yield context


def opened(context: BrowserContext, address: str) -> Page:
    """One more tab, which hears the room."""
    page = context.new_page()
    page.goto(f"http://{address}/")
    page.evaluate("hear('room:a')")
    page.wait_for_function("told.length === 1")
    assert page.evaluate("told") == [False]
    return page


def kill_worker(browser: Browser) -> None:
    session = browser.new_browser_cdp_session()
    targets = session.send("Target.getTargets", {"filter": [{"type": "shared_worker"}]})
    (worker,) = targets["targetInfos"]
    session.send("Target.closeTarget", {"targetId": worker["targetId"]})
    session.detach()


def until_present(page: Page, room: str, count: int) -> None:
    """Waits until so many hear a room, and by one connection."""
    page.wait_for_function(
        """async ([room, found]) => (await (await fetch(`present/${room}`)).text()) === found""",
        arg=[room, f"{count} 1"],
    )


def test_a_worker_that_dies_is_replaced(
    browser: Browser, context: BrowserContext, address: str
) -> None:
    one, two = opened(context, address), opened(context, address)
    until_present(one, "room:a", 1)
    # Neither is answered; the second is one that its outbox keeps.
    one.evaluate("ask('never')")
    two.evaluate("say('precious')")
    for page in (one, two):
        page.wait_for_function("told.includes('asked') && told.includes('precious')")
    kill_worker(browser)
    one.wait_for_function("failed.length === 1")
    assert one.evaluate("failed") == [{"code": 11, "message": "connection closed"}]
    two.wait_for_function("outbox.waiting.length === 0")
    for page in (one, two):
        # Heard again, with a gap; what was sent again is the same message.
        page.wait_for_function("told.filter((what) => what === false).length === 2")
        assert page.evaluate("told.filter((what) => what === 'precious')") == ["precious"]
    one.evaluate("ask('never')")
    two.wait_for_function("told.filter((what) => what === 'asked').length === 2")
    # Once more: a worker that has come later is watched like the first.
    kill_worker(browser)
    one.wait_for_function("failed.length === 2")
    two.wait_for_function("told.filter((what) => what === false).length === 3")


def test_a_tab_that_is_closed_is_heard_of(context: BrowserContext, address: str) -> None:
    one, two = opened(context, address), opened(context, address)
    two.evaluate("hear('room:b')")
    until_present(one, "room:b", 1)
    two.close()
    until_present(one, "room:b", 0)
    until_present(one, "room:a", 1)
