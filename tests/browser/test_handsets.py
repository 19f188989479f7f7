"""A customer's phone in the sandbox: what it can do, and that it works by keyboard and for everybody."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_two_phones_do_with_messages_what_people_do(handset):
    jonas = handset("Jonas", "Sunday Gravel Crew")
    kai = handset("Kai", "Sunday Gravel Crew")
    jonas.write("Who takes the train back?")
    expect(kai.messages).to_contain_text("Who takes the train back?")

    kai.react("Who takes the train", "Like")
    kai.react("I’ll bring two spare", "🚂")
    kai.stick("Who takes the train")
    kai.reply("Who takes the train", "I do")
    kai.edit("I do", "I do, at five")
    kai.send_effect("Sunday!", "Fireworks")
    bubble = jonas.bubble("Who takes the train")
    expect(bubble.get_by_role("img", name="Like: Kai")).to_be_visible()
    expect(bubble.locator(".handset__sticker")).to_be_visible()
    expect(jonas.bubble("I do, at five").locator(".quote")).to_contain_text("Who takes the train")
    expect(jonas.bubble("I do, at five")).to_contain_text("Edited")
    expect(jonas.messages).to_contain_text("Sent with Fireworks")

    kai.poll("Five", "Six")
    kai.vote("Five")
    expect(jonas.last_poll).to_contain_text("Five")
    jonas.option_field.fill("Eight")
    kai.add_option("Seven")
    expect(jonas.last_poll).to_contain_text("Seven")
    expect(jonas.option_field).to_have_value("Eight")
    expect(kai.option_field).to_have_value("")
    expect(jonas.last_poll).to_contain_text("Kai")

    kai.rename("Train Crew")
    kai.set_icon()
    kai.add("Petra Novak")
    expect(jonas.messages).to_contain_text("Kai added Petra")
    kai.leave()
    expect(jonas.messages).to_contain_text("Kai left the conversation")


def test_a_menu_of_a_phone_opens_and_closes_by_keyboard(handset):
    nora = handset("Nora", "Shop")
    opener = nora.bubble("Fitting guide").locator(".handset__touch")
    opener.focus()
    nora.page.keyboard.press("Enter")
    sheet = nora.sheet("A message")
    expect(sheet.get_by_role("button", name="Love")).to_be_focused()
    nora.page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(opener).to_be_focused()


def test_what_is_typed_is_told_and_stops_when_it_is_emptied(handset):
    nora = handset("Nora", "Shop")
    told = nora.page.locator("#carrier-told")
    nora.type("I am")
    expect(told).to_contain_text("chat.typing_indicator.started")
    expect(told.locator("li", has_text="typing_indicator.stopped").first).to_contain_text("Waits")
    nora.field.fill("")
    expect(told.locator("li", has_text="typing_indicator.stopped").first).to_contain_text("200")


def test_axe_finds_nothing_on_a_phone_and_its_menus(handset, axe):
    nora = handset("Nora", "Shop")
    nora.share_location(indefinitely=True)
    axe(nora.page)
    nora.touch("Fitting guide")
    axe(nora.page)
    for button, name in (
        ("Send something else", "Send something else"),
        ("Write to several people", "Write to several people"),
    ):
        nora.page.keyboard.press("Escape")
        nora.page.get_by_role("button", name=button).click()
        expect(nora.sheet(name)).to_be_visible()
        axe(nora.page)
    jonas = handset("Jonas", re.compile("Gravel|Train"))
    jonas.about_group()
    axe(jonas.page)


def test_a_phone_fits_on_a_phone(handset):
    nora = handset("Nora", "Shop")
    nora.page.set_viewport_size(PHONE)
    nora.page.get_by_role("button", name="Send something else").click()
    # The page is laid out anew after the change of size.
    nora.page.wait_for_timeout(1000)
    assert nora.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    expect(
        nora.sheet("Send something else").get_by_role("button", name=re.compile("voice memo"))
    ).to_be_visible()
