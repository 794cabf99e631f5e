"""The page for those who do not see it."""

from playwright.sync_api import Page, expect

from ...serving import ROOT
from .conftest import People

AXE = (ROOT / "client/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


def serious(page: Page) -> list[str]:
    """What axe finds that is serious or worse, each with where."""
    # What is still fading in has other colours than it will have.
    page.evaluate(
        "Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {})))"
    )
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:3]]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def test_signing_in(people: People) -> None:
    for scheme in ("light", "dark"):
        stranger = people.stranger("en-GB", color_scheme=scheme, reduced_motion="reduce")
        expect(stranger.page.locator("form")).to_be_visible()
        for way in ("As a guest", "New account", "Log in"):
            stranger.page.get_by_role("button", name=way).click()
            assert serious(stranger.page) == []
