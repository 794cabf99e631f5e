"""What becomes of a message after it was said, as another person sees it."""

from playwright.sync_api import expect

from .conftest import People


def test_edited_answered_reacted_to_and_deleted(people: People) -> None:
    ada, bo = people.enter("Ada"), people.enter("Bo", color_scheme="dark")
    mine = ada.sent("tea at for")
    theirs = bo.message("tea at")
    expect(theirs).to_have_count(1)

    ada.menu(mine, "Edit")
    box = ada.page.locator("#composer")
    expect(box).to_have_value("tea at for")
    box.fill("tea at **four**")
    box.press("Enter")
    expect(theirs.locator(".text strong")).to_have_text("four")
    expect(theirs.locator(".edited")).to_be_visible()
    # What others have written, nobody edits or deletes.
    theirs.hover()
    theirs.locator(".tools .icon-button").last.click()
    expect(bo.page.get_by_role("menuitem")).to_have_text(["Copy text"])
    bo.page.keyboard.press("Escape")

    theirs.locator(".tools .icon-button").first.click()
    bo.page.get_by_role("menuitem", name="🎉").click()
    chip = mine.locator(".reaction")
    expect(chip).to_contain_text("🎉")
    expect(chip).to_have_attribute("aria-pressed", "false")
    expect(chip).to_have_attribute("title", "Bo")
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(theirs.locator(".reaction-count")).to_have_text("2")
    theirs.locator(".reaction").click()
    expect(mine.locator(".reaction-count")).to_have_text("1")

    theirs.hover()
    theirs.get_by_role("button", name="Reply").click()
    expect(bo.page.locator(".composer-context")).to_contain_text("Ada")
    bo.sent("with pleasure")
    answer = ada.message("with pleasure")
    expect(answer.locator(".reply-to")).to_contain_text("tea at four")

    ada.menu(mine, "Delete")
    ada.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    gone = bo.page.locator(".message", has=bo.page.locator("p.deleted"))
    expect(gone).to_have_count(1)
    expect(gone.locator(".reaction, .edited, .tools")).to_have_count(0)
    expect(bo.message("with pleasure").locator(".reply-to")).to_contain_text("deleted")
    # The page has forgotten it, and so has the server.
    bo.page.reload()
    expect(gone).to_have_count(1)
    assert "four" not in bo.page.locator(".messages").inner_text()
    assert [ada.troubles, bo.troubles] == [[], []]


def test_a_language_is_corrected_with_one_choice(people: People) -> None:
    cleo, dan = people.enter("Cleo"), people.enter("Dan", "fr-FR")
    # Whoever wrote it says at its menu what it is; then those who read another translate it.
    cleo.page.locator(".writing-in").select_option("en-GB")
    mine = cleo.sent("El gato come pescado")
    theirs = dan.message("pescado")
    mine.hover()
    mine.locator(".tools .icon-button").last.click()
    choice = cleo.page.get_by_label("Correct the language of this message")
    choice.select_option("es")
    translated = dan.page.locator(".message", has_text="Le chat mange")
    expect(translated.locator(".translation")).to_contain_text("espagnol")
    expect(translated.locator(".text")).to_have_attribute("lang", "fr-FR")
    translated.get_by_role("button", name="Voir l’original").click()
    expect(theirs.locator(".text")).to_have_attribute("lang", "es")
    expect(theirs.locator(".text")).to_have_text("El gato come pescado")
    # To its author it was one of theirs; now it is read in theirs, too, if they wish.
    expect(cleo.message("El gato come pescado")).to_have_count(1)
    assert [cleo.troubles, dan.troubles] == [[], []]
