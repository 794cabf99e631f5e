"""A browser that could translate after a download: it is offered, done at a click, and used."""

from playwright.sync_api import expect

from .conftest import People, Person

DOWNLOADABLE = """
window.asked = [];
window.has = false;
const finished = new Promise((resolve) => { window.finish = resolve; });
window.Translator = {
  availability: async () => (window.has ? "available" : "downloadable"),
  create: async ({targetLanguage, monitor}) => {
    if (!window.has) {
      if (!navigator.userActivation.isActive) {
        throw new DOMException("a click is needed", "NotAllowedError");
      }
      const told = new EventTarget();
      monitor?.(told);
      told.dispatchEvent(Object.assign(new Event("downloadprogress"), {loaded: 0.4}));
      await finished;
      window.has = true;
    }
    return {
      translate: async (text) => {
        window.asked.push(text);
        return `${targetLanguage} of ${text}`;
      },
    };
  },
};
"""
"""As browsers do it: a download needs a gesture, tells how far it is, and then all is there."""


def say_in_finnish(person: Person, text: str) -> None:
    person.page.locator(".writing-in").select_option("fi-FI")
    person.sent(text)


def test_a_download_is_offered_and_then_the_browser_translates(people: People) -> None:
    aino = people.enter("Aino", "fi-FI")
    say_in_finnish(aino, "Huomenta kaikille")
    reader = people.enter("Ron", script=DOWNLOADABLE, color_scheme="dark")
    page = reader.page
    # Nobody else can: the original is there meanwhile.
    message = reader.message("Huomenta kaikille")
    expect(message.locator(".translation.is-failed")).to_be_visible()
    banner = page.locator(".banner.is-offer")
    expect(banner).to_contain_text("Finnish")
    assert page.evaluate("window.asked") == []
    banner.get_by_role("button", name="Download").click()
    expect(banner.get_by_role("progressbar")).to_have_attribute("value", "0.4")
    page.evaluate("window.finish()")
    expect(banner).to_have_count(0)
    expect(message.locator(".text")).to_have_text("en of Huomenta kaikille")
    # From now on the server is not asked.
    before = reader.asked.count("/translate")
    say_in_finnish(aino, "Nähdään huomenna")
    expect(reader.message("en of Nähdään huomenna")).to_be_visible()
    assert reader.asked.count("/translate") == before
    assert reader.troubles == []


def test_what_was_declined_is_not_offered_again(people: People) -> None:
    aino = people.enter("Tuuli", "fi-FI")
    say_in_finnish(aino, "Hyvää iltaa")
    reader = people.enter("Sue", script=DOWNLOADABLE)
    banner = reader.page.locator(".banner.is-offer")
    banner.get_by_role("button", name="Close").click()
    expect(banner).to_have_count(0)
    say_in_finnish(aino, "Hyvää yötä")
    expect(reader.message("Hyvää yötä").locator(".translation.is-failed")).to_be_visible()
    expect(banner).to_have_count(0)
    assert reader.page.evaluate("window.asked") == []
    assert reader.troubles == []
