"""Sorting conversations by labels, with two colleagues watching."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, live, open_chat

pytestmark = pytest.mark.browser


def test_a_label_is_made_seen_by_all_and_narrows_the_list(window, axe):
    ana, ben = open_chat(window("ana"), "Nora Whitfield"), open_chat(window("ben"), "Nora Whitfield")
    live(ana)
    live(ben)
    field = ana.get_by_role("textbox", name="Find or make a label")

    # Out of the composer.
    ana.keyboard.press("Escape")
    ana.keyboard.press("l")
    field.fill("Wheel truing")
    expect(ana.get_by_role("menuitem", name="Make “Wheel truing”")).to_be_visible()
    axe(ana)
    ana.keyboard.press("Enter")
    expect(ana.get_by_role("menuitemcheckbox", name="Wheel truing")).to_have_attribute("aria-checked", "true")
    ana.keyboard.press("Escape")
    expect(ana.get_by_role("button", name="Labels", exact=True)).to_be_focused()
    for page in (ana, ben):
        expect(page.locator("#details-labels")).to_contain_text("Wheel truing")
        expect(page.locator(".chat-row", has_text="Nora Whitfield")).to_contain_text("Wheel truing")
        expect(page.locator("message-list")).to_contain_text("added Wheel truing")

    ben.get_by_role("button", name="Filter by label").click()
    ben.get_by_role("menuitemradio", name="Wheel truing").click()
    ben.wait_for_url(re.compile(r"/inbox/all/\?label="))
    expect(ben.locator(".chat-row")).to_have_count(1)
    axe(ben)
    ben.locator(".chat-row").click()
    ben.wait_for_url(re.compile(r"/inbox/all/[0-9a-f-]{36}/\?label="))
    ben.keyboard.press("k")
    ben.go_back()
    expect(ben.locator(".chat-row")).to_have_count(1)

    ana.keyboard.press("l")
    box = ana.get_by_role("menuitemcheckbox", name="Wheel truing")
    field.fill("truing")
    expect(ana.get_by_role("menuitemcheckbox")).to_have_count(1)
    ana.keyboard.press("ArrowDown")
    expect(box).to_be_focused()
    ana.keyboard.press("Space")
    expect(box).to_have_attribute("aria-checked", "false")
    expect(box).to_be_focused()
    expect(ben.locator(".chat-row")).to_have_count(0)


def test_on_a_phone_it_is_added_in_the_details(window, axe):
    phone = open_chat(window("ana", viewport=PHONE, has_touch=True, is_mobile=True), "Nora Whitfield")
    phone.locator("[data-details-toggle]").first.tap()
    phone.get_by_role("button", name="Add a label").tap()
    phone.get_by_role("textbox", name="Find or make a label").fill("Spare key")
    phone.get_by_role("menuitem", name="Make “Spare key”").tap()
    expect(phone.locator("#details-labels")).to_contain_text("Spare key")
    axe(phone)
