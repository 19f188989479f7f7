"""An admin makes the contact card of a line; iPhones are shown it, everybody else is sent a file."""

import re
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, live, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.slow]

KID = "+1 971 555 0134"


def picture(width, height):
    file = BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, "PNG")
    return {"name": "face.png", "mimeType": "image/png", "buffer": file.getvalue()}


def line_page(page):
    page.goto("/settings/people/")
    page.get_by_role("link", name="Settings of Shop").click()
    expect(page.get_by_role("heading", name="Contact card")).to_be_visible()
    return page


def turn_sharing(page, to):
    switch = page.get_by_role("switch", name="Share the contact card by itself")
    if switch.get_attribute("aria-checked") != to:
        switch.click()
    expect(switch).to_have_attribute("aria-checked", to)


def make_card(max):
    max.get_by_label("First name").fill("Fairwheel")
    max.get_by_label("Choose a picture").set_input_files(picture(900, 640))
    expect(max.locator("[data-said]")).to_contain_text("not square, so it is cut from the middle")
    max.get_by_role("button", name="Save the card").click()
    expect(max.locator("#toasts")).to_contain_text("The contact card of Shop is saved")
    expect(max.locator("#card-state")).to_contain_text("The carrier has had it")


def test_a_card_is_made_and_shared(window, handset, axe):
    max = line_page(window("max"))
    turn_sharing(max, "false")
    max.get_by_label("Choose a picture").set_input_files(picture(120, 90))
    expect(max.locator("[data-said]")).to_contain_text("too small")
    max.get_by_role("button", name="Save the card").click()
    expect(max.get_by_text("A contact card needs a first name.")).to_be_in_viewport()
    expect(max.get_by_text("phones need 200 × 200 at least")).to_be_visible()
    expect(max.locator("[data-said]")).to_contain_text("too small")
    axe(max)
    make_card(max)
    expect(max.get_by_role("img", name=re.compile("Preview: Fairwheel, "))).to_be_visible()
    axe(max)

    nora = handset("Nora", "Shop")
    ana, ben = (open_chat(window(name), "Nora Whitfield") for name in ("ana", "ben"))
    live(ben)
    ana.get_by_role("button", name="Share the contact card").click()
    expect(ana.locator("#contact-card")).to_contain_text("Contact card shared now. It can be shared again at")
    expect(ana.get_by_role("button", name="Share again")).to_be_disabled()
    for page in (ana, ben):
        expect(page.locator("message-list")).to_contain_text("Shop shared its contact card")
    axe(ana, "#details")
    prompt = nora.page.locator("#screen-prompt")
    expect(prompt).to_contain_text("Share name and photo?")
    prompt.get_by_role("button", name="Add").click()
    expect(prompt).to_have_text("")

    kid = handset(re.escape(KID), "Shop")
    open_chat(ana, KID)
    expect(ana.locator("#contact-card")).to_contain_text("for iMessage only, and this is RCS")
    ana.get_by_role("button", name="Send the contact file").click()
    expect(ana.locator("#contact-card")).to_contain_text("The contact file is on its way")
    expect(ana.locator("message-list")).to_contain_text("Fairwheel")
    expect(kid.messages).to_contain_text("Fairwheel.vcf")


def test_it_goes_by_itself_with_our_answer(window):
    max = line_page(window("max"))
    turn_sharing(max, "true")
    make_card(max)
    ana = open_chat(window("ana", viewport=PHONE), "Harriet Boone")
    live(ana)
    ana.get_by_label("Message Harriet Boone").fill("Hello Harriet, this is Fairwheel.")
    ana.get_by_role("button", name="Send", exact=True).click()

    expect(ana.locator("message-list")).to_contain_text("Shop shared its contact card")
