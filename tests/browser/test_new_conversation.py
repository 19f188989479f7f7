"""Beginning a conversation: whom, from where, what is known of it, and where it leads."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE

pytestmark = pytest.mark.browser


@pytest.fixture
def start(window):
    def open_page(name="max", query="", **options):
        page = window(name, **options)
        page.goto(f"/chats/new/{query}")
        return page

    return open_page


def to(page):
    return page.get_by_role("combobox", name="To")


def write_to(page, *words):
    for word in words:
        to(page).fill(word)
        if not word.startswith("+"):
            page.get_by_role("option").first.wait_for()
        to(page).press("Enter")
    expect(page.locator(".chip")).to_have_count(len(words))


def test_people_are_chosen_and_taken_back_by_keyboard(start):
    max = start()
    expect(to(max)).to_be_focused()
    max.keyboard.type("ingr")
    option = max.get_by_role("option", name=re.compile("Ingrid Solheim"))
    expect(option).to_have_attribute("aria-selected", "true")
    max.keyboard.press("Enter")
    max.keyboard.type("0173,")
    chips = max.locator(".chip")
    expect(chips.first).to_contain_text("Ingrid Solheim")
    expect(chips.last).to_have_attribute("data-state", "invalid")
    max.keyboard.press("Backspace")
    expect(chips).to_have_count(1)
    max.keyboard.type("+1 503 555 0173;")
    expect(chips.last).to_contain_text("Luis Ortega")
    # Who is there already is not offered again.
    max.keyboard.type("luis")
    expect(max.locator("[role=status]", has_text="Nobody found")).to_be_attached()
    for _ in range(4):
        max.keyboard.press("Backspace")
    # To the chips, along them, and one of them away.
    max.keyboard.press("ArrowLeft")
    expect(max.get_by_role("button", name="Remove Luis Ortega")).to_be_focused()
    max.keyboard.press("ArrowLeft")
    max.keyboard.press("Delete")
    expect(chips).to_have_count(1)
    expect(max.get_by_role("button", name="Remove Luis Ortega")).to_be_focused()
    max.keyboard.press("ArrowRight")
    expect(to(max)).to_be_focused()


def test_a_pasted_list_is_a_chip_for_each(start):
    max = start()
    max.evaluate(
        """(text) => {
          const data = new DataTransfer()
          data.setData("text", text)
          document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }))
        }""",
        "+1 503 555 0173, 503-555-0172\n(503) 555 0195",
    )
    chips = max.locator(".chip")
    expect(chips).to_have_count(3)
    for name in ("Luis Ortega", "Jonas Pfeiffer", "Sela Lomu"):
        expect(chips.filter(has_text=name)).to_have_count(1)
    expect(max.locator("#story")).to_contain_text("A group of three")
    expect(max.get_by_role("textbox", name="Name", exact=True)).to_be_visible()


def test_the_contacts_are_a_list_to_search_and_choose_from(start):
    max = start()
    max.get_by_role("button", name="Contacts").press("Enter")
    search = max.get_by_role("searchbox", name="Search your contacts")
    expect(search).to_be_focused()
    expect(max.locator(".contact-list button").first).to_be_visible()
    search.fill("kess")
    dana = max.locator(".contact-list").get_by_role("button", name=re.compile("Dana Kessler"))
    expect(max.locator(".contact-list button")).to_have_count(1)
    dana.press("Enter")
    expect(dana).to_have_attribute("aria-pressed", "true")
    expect(max.locator(".chip")).to_contain_text("Dana Kessler")
    # Enter in the search sends nothing.
    search.press("Enter")
    expect(max.get_by_role("heading", name="New conversation")).to_be_visible()
    max.keyboard.press("Escape")
    expect(max.get_by_role("button", name="Contacts")).to_be_focused()


def test_the_line_that_they_know_is_proposed_and_another_can_be_chosen(start):
    max = start()
    write_to(max, "ingrid")
    line = max.get_by_role("combobox", name="From")
    expect(max.locator("#from-row")).to_contain_text("because Ingrid has written to it since")
    expect(line.locator("option:checked")).to_contain_text("Shop")
    rides = line.locator("option", has_text="Rides").get_attribute("value")
    line.select_option(rides)
    expect(max.locator("#from-row p")).to_contain_text("Rides")
    # It stays, whoever comes along.
    write = to(max)
    write.fill("dana")
    max.get_by_role("option").first.wait_for()
    write.press("Enter")
    expect(max.locator("#story")).to_contain_text("A group of two and the Rides line")
    expect(line.locator("option:checked")).to_contain_text("Rides")


def test_the_carrier_is_asked_what_a_number_can_get(start):
    max = start()
    write_to(max, "+1 212 555 0142")
    beside = max.get_by_role("complementary", name="Who can get what")
    expect(beside).to_contain_text("Unknown: not asked yet")
    # What else is said of a new conversation is drawn with it, and a key must not fall between two buttons.
    max.wait_for_load_state("networkidle")
    max.wait_for_timeout(500)
    max.get_by_role("button", name="Ask what +1 212 555 0142 can get").press("Enter")
    expect(beside).to_contain_text("iMessage, asked")
    expect(beside).to_contain_text("Known")
    expect(beside).to_contain_text("One to one, by iMessage")


def test_what_is_there_already_leads_there_and_is_written_to(start):
    max = start()
    write_to(max, "ingrid")
    expect(max.locator("#story")).to_contain_text("Goes on in the conversation that is there")
    max.locator("textarea").fill("One more thing, Ingrid")
    max.locator("textarea").press("Control+Enter")
    expect(max.locator("message-list")).to_contain_text("One more thing, Ingrid")
    expect(max.locator("#head")).to_contain_text("Ingrid Solheim")


def test_what_is_refused_keeps_everything_that_was_typed(start):
    max = start()
    write_to(max, "+1 212 555 0143", "+1 212 555 0144")
    max.get_by_role("textbox", name="Name", exact=True).fill("Two of New York")
    text = "This is Max from Fairwheel, see https://fairwheel.example"
    max.locator("textarea").fill(text)
    expect(max.locator("#advice")).to_contain_text("A link in a first message is taken for spam")
    expect(max.locator("#advice")).to_contain_text("It says who is writing")
    max.get_by_role("button", name=re.compile("^Send")).click()
    expect(max.get_by_role("alert")).to_contain_text("A link in a first message")
    expect(max.locator("textarea")).to_have_value(text)
    expect(max.locator(".chip")).to_have_count(2)
    expect(max.get_by_role("textbox", name="Name", exact=True)).to_have_value("Two of New York")

    max.locator("textarea").fill("This is Max from Fairwheel, hello you two")
    max.get_by_role("button", name=re.compile("^Send")).click()
    expect(max.locator("#head .thread__name")).to_contain_text("+1 212 555 0143")
    # The carrier gives the name once the group is there.
    expect(max.locator("#head .thread__name")).to_have_text("Two of New York")


def test_each_alone_gets_it_once(start, handset):
    max = start()
    write_to(max, "sela", "kai")
    max.locator("textarea").fill("The shop is closed on Friday")
    max.get_by_role("button", name="Write to each alone").click()
    expect(max.locator(".toast")).to_contain_text("Sent to 2 people, to each alone")
    for name in ("Sela", "Kai"):
        expect(max.locator(".chat-row", has_text=name).first).to_contain_text("The shop is closed on Friday")
    phone = handset("Sela", "Shop")
    expect(phone.messages.get_by_text("The shop is closed on Friday")).to_have_count(1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_at_a_desk_and_on_a_phone(start, axe, theme):
    for options in ({}, {"viewport": PHONE, "has_touch": True, "is_mobile": True}):
        max = start(color_scheme=theme, reduced_motion="reduce", **options)
        to(max).fill("lu")
        max.get_by_role("option").first.wait_for()
        axe(max)
        to(max).fill("")
        write_to(max, "ingrid", "+1 212 555 0145")
        expect(max.locator("#advice")).to_contain_text("has never written to us")
        axe(max)
        assert max.evaluate("document.documentElement.scrollWidth") <= max.viewport_size["width"]
        max.get_by_role("button", name="Contacts").click()
        expect(max.locator(".contact-list button").first).to_be_visible()
        axe(max)
        max.keyboard.press("Escape")
        if options:
            max.get_by_role("button", name="Who can get what").click()
            expect(max.get_by_role("button", name="Write to each alone")).to_be_visible()
            axe(max)
