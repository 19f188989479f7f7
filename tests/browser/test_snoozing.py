"""Putting a conversation off by key and by menu; a colleague sees it, and it comes back when they write."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import live, open_chat

pytestmark = pytest.mark.browser


def test_it_is_put_off_by_keys_seen_by_the_team_and_back_when_they_write(window, handset, axe):
    ana, lea = open_chat(window("ana"), "Nora Whitfield"), open_chat(window("lea"), "Nora Whitfield")
    live(ana)
    live(lea)
    # Out of the composer.
    ana.keyboard.press("Escape")
    ana.keyboard.press("z")
    expect(ana.get_by_role("menuitem", name=re.compile("In two hours"))).to_be_focused()
    axe(ana)
    tomorrow = ana.get_by_role("menuitem", name=re.compile("^Tomorrow"))
    expect(tomorrow).to_contain_text("9:00")
    tomorrow.press("Enter")
    expect(ana.locator("#toasts")).to_contain_text("Snoozed, Nora Whitfield")
    for page in (ana, lea):
        expect(page.locator("#head")).to_contain_text("9:00")
        expect(page.locator(".chat-row", has_text="Nora Whitfield")).to_have_count(0)
        expect(page.locator("message-list")).to_contain_text("put it off until")

    lea.goto("/inbox/snoozed/")
    live(lea)
    row = lea.locator(".chat-row", has_text="Nora Whitfield")
    expect(row).to_contain_text("9:00")
    axe(lea)
    handset("Nora", "Shop").write("Is there any news?")
    expect(row).to_have_count(0)
    expect(ana.locator(".chat-row", has_text="Nora Whitfield")).to_contain_text("Is there any news?")
    expect(ana.get_by_role("button", name="Snooze", exact=True)).to_be_visible()


def test_another_time_is_chosen_and_undone(window):
    ana = open_chat(window("ana"), "Harriet Boone")
    live(ana)
    ana.get_by_role("button", name="Snooze", exact=True).click()
    form = ana.locator("snooze-times")
    go = form.get_by_role("button", name="Snooze")
    form.get_by_label("Another time").fill("2020-01-01T09:00")
    expect(go).to_be_disabled()
    form.get_by_label("Another time").fill(ana.evaluate("`${new Date().getFullYear() + 1}-01-01T09:00`"))
    go.click()
    expect(ana.get_by_role("button", name="Bring it back now")).to_be_visible()
    ana.get_by_role("button", name="Undo").click()
    expect(ana.get_by_role("button", name="Snooze", exact=True)).to_be_visible()
    expect(ana.locator(".chat-row", has_text="Harriet Boone")).to_be_visible()
