"""What stays among colleagues, and what leaves later: each by keyboard, with the customer's phone beside."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Cable, live, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ZONE = ZoneInfo("America/Los_Angeles")

# Nobody wants to wait until tomorrow.
ITS_TIME_COMES = """
from django.utils import timezone
from inbox.models import ScheduledSend
ScheduledSend.objects.filter(text=%r).update(send_at=timezone.now())
"""

# As when more was missed than is replayed.
READ_AGAIN = "document.dispatchEvent(new CustomEvent('live:refresh'))"


def text_of(page):
    return page.locator(".composer__text")


def scheduled(page, text):
    return page.locator("li[id^=scheduled-]", has_text=text)


def type_into(page, text):
    """As a person who has not touched the mouse."""
    text_of(page).focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.type(text)


def test_a_note_by_keyboard_reaches_colleagues_and_never_the_phone(window, handset, axe):
    ana, ben = (open_chat(window(name), "Yuki Tanabe") for name in ("max", "ben"))
    yuki = handset("Yuki")
    live(ana)
    live(ben)
    type_into(ana, "Dear Yuki")
    ana.keyboard.press("Escape")
    ana.keyboard.press("m")
    expect(ana.locator(".composer")).to_have_attribute("data-mode", "note")
    expect(text_of(ana)).to_have_value("")
    ana.keyboard.type("@Ben he rides like a tram")
    ana.keyboard.press("Control+Enter")

    for page in (ana, ben):
        note = page.locator(".note", has_text="he rides like a tram")
        expect(note).to_have_count(1)
        expect(note).to_contain_text("Only the team sees this")
        expect(note.locator(".mention")).to_have_text("@Ben")
    axe(ana)

    ana.keyboard.press("Escape")
    ana.keyboard.press("r")
    expect(text_of(ana)).to_have_value("Dear Yuki")
    ana.keyboard.type(", it is the hanger again")
    ana.keyboard.press("Control+Enter")
    expect(yuki.messages).to_contain_text("Dear Yuki, it is the hanger again")
    expect(yuki.messages).not_to_contain_text("rides like a tram")


def test_a_note_is_changed_and_deleted_in_its_place(window):
    ana, ben = (open_chat(window(name), "Yuki Tanabe") for name in ("max", "ben"))
    live(ana)
    live(ben)
    ana.locator("[data-set-mode=note]").focus()
    ana.keyboard.press("Enter")
    type_into(ana, "Chain is worn")
    ana.keyboard.press("Control+Enter")
    note = ana.locator(".note", has_text="Chain is worn")
    note.get_by_role("button", name="Edit this note").press("Enter")
    text = ana.locator(".note textarea")
    text.fill("Chain is worn, at 0.75 %")
    # What is being written outlives that the page reads the thread again.
    with ana.expect_response(re.compile("/messages/")):
        ana.evaluate(READ_AGAIN)
    expect(text).to_have_value("Chain is worn, at 0.75 %")
    ana.get_by_role("button", name="Save note").press("Enter")
    for page in (ana, ben):
        expect(page.locator(".note", has_text="at 0.75 %")).to_contain_text("edited")

    ana.locator(".note", has_text="at 0.75 %").get_by_role("button", name="Delete this note").press("Enter")
    expect(ana.locator(".note .tombstone").last).to_contain_text("You deleted a note")
    expect(ben.locator(".note .tombstone").last).to_contain_text("Max deleted a note")
    expect(ben.locator("message-list")).not_to_contain_text("Chain is worn")


def test_drafts_of_both_kinds_are_there_again(window):
    ana = open_chat(window("max"), "Yuki Tanabe")
    ana.locator("[data-set-mode=reply]").click()
    type_into(ana, "Half a reply")
    expect(ana.locator(".composer__hint")).to_contain_text("Draft saved")
    ana.locator("[data-set-mode=note]").click()
    with ana.expect_response(
        lambda answer: answer.url.endswith("/draft/") and "Half+a+note" in answer.request.post_data
    ):
        type_into(ana, "Half a note")
    ana.reload()

    expect(ana.locator(".composer")).to_have_attribute("data-mode", "note")
    expect(text_of(ana)).to_have_value("Half a note")
    ana.locator("[data-set-mode=reply]").click()
    expect(text_of(ana)).to_have_value("Half a reply")
    for mode in ("reply", "note"):
        ana.locator(f"[data-set-mode={mode}]").click()
        with ana.expect_response(re.compile("/draft/")):
            type_into(ana, "")


def open_picker(page):
    page.get_by_role("button", name="Send later").press("Enter")
    return page.get_by_role("dialog", name="Send later")


def test_a_message_is_scheduled_changed_and_cancelled_by_keyboard(window, axe):
    ana, ben = (open_chat(window(name), "Theo Marsh") for name in ("max", "ben"))
    live(ana)
    live(ben)
    type_into(ana, "See you on Friday")
    picker = open_picker(ana)
    expect(picker.get_by_role("button", name=re.compile("In an hour"))).to_be_focused()
    axe(ana)
    picker.locator(".calendar [tabindex='0']").focus()
    ana.keyboard.press("ArrowDown")
    there = datetime.now(ZONE) + timedelta(days=8)
    expect(picker.locator("[aria-pressed=true]")).to_have_attribute("data-day", f"{there:%Y-%m-%d}")
    picker.get_by_label("Time").focus()
    ana.keyboard.press("Enter")

    when = f"{there.day} {there:%b} 9:00"
    for page in (ana, ben):
        expect(scheduled(page, "See you on Friday")).to_contain_text(f"{when} · Los Angeles time")
    expect(text_of(ana)).to_have_value("")
    axe(ana)

    scheduled(ben, "See you on Friday").get_by_role("button", name="Change").press("Enter")
    ben.get_by_label("Message", exact=True).fill("See you on Saturday")
    ben.get_by_role("button", name="Save", exact=True).press("Enter")
    for page in (ana, ben):
        expect(scheduled(page, "See you on Saturday")).to_contain_text(when)
        expect(page.locator("message-list")).not_to_contain_text("See you on Friday")
    scheduled(ana, "See you on Saturday").get_by_role("button", name="Cancel").press("Enter")
    for page in (ana, ben):
        expect(page.locator("message-list")).not_to_contain_text("See you on Saturday")


def test_it_leaves_by_itself_and_asks_where_they_wrote_first(window, handset, copy):
    ana, theo = open_chat(window("max"), "Theo Marsh"), handset("Theo")
    live(ana)
    for text in ("Your bike is ready", "Shall we go on?"):
        type_into(ana, text)
        open_picker(ana).get_by_role("button", name=re.compile("Tomorrow morning")).press("Enter")
        expect(scheduled(ana, text)).to_contain_text("9:00")

    copy.shell(ITS_TIME_COMES % "Your bike is ready")
    expect(theo.messages).to_contain_text("Your bike is ready")
    expect(scheduled(ana, "Your bike is ready")).to_have_count(0)
    expect(ana.locator(".message[id^=message-]", has_text="Your bike is ready")).to_have_count(1)

    theo.write("Please wait")
    expect(ana.locator("message-list")).to_contain_text("Please wait")
    copy.shell(ITS_TIME_COMES % "Shall we go on?")
    asking = scheduled(ana, "Shall we go on?")
    expect(asking).to_contain_text("Theo wrote first. Send it anyway?")
    expect(theo.messages).not_to_contain_text("Shall we go on?")
    theo.write("I am back")
    expect(ana.locator("message-list")).to_contain_text("I am back")
    assert ana.locator("message-list li").last.inner_text().count("Shall we go on?")
    asking.get_by_role("button", name="Send now").press("Enter")
    expect(theo.messages).to_contain_text("Shall we go on?")
    expect(asking).to_have_count(0)


def test_what_was_cancelled_while_one_was_away_is_gone(window):
    ana, page = open_chat(window("max"), "Theo Marsh"), window("ben")
    cable = Cable(page)
    ben = open_chat(page, "Theo Marsh")
    live(ana)
    live(ben)
    type_into(ana, "Never mind")
    open_picker(ana).get_by_role("button", name=re.compile("Tomorrow morning")).press("Enter")
    expect(scheduled(ben, "Never mind")).to_be_visible()
    cable.cut()
    scheduled(ana, "Never mind").get_by_role("button", name="Cancel").press("Enter")
    expect(scheduled(ana, "Never mind")).to_have_count(0)
    expect(scheduled(ben, "Never mind")).to_be_visible()
    ben.evaluate(READ_AGAIN)
    expect(scheduled(ben, "Never mind")).to_have_count(0)


def test_a_saved_reply_is_filled_in_by_keyboard(window, handset, axe):
    ana, yuki = window("max"), handset("Yuki")
    ana.goto("/settings/replies/new/")
    ana.keyboard.type("Greeting")
    ana.keyboard.press("Tab")
    ana.keyboard.type("Hi {first_name}, {line} here.")
    ana.keyboard.press("Tab")
    ana.keyboard.press("Enter")
    expect(ana.get_by_text("“Greeting” is saved")).to_be_visible()
    axe(ana)

    open_chat(ana, "Yuki Tanabe")
    ana.locator("[data-set-mode=reply]").click()
    type_into(ana, "Oh! /gree")
    expect(ana.get_by_role("option", name=re.compile("Greeting"))).to_have_attribute("aria-selected", "true")
    axe(ana)
    ana.keyboard.press("Enter")
    expect(text_of(ana)).to_have_value(re.compile("^Oh! Hi Yuki, [A-Z][a-z]+ here.$"))
    ana.keyboard.press("Control+Enter")
    expect(yuki.messages).to_contain_text("Oh! Hi Yuki")


def test_a_gap_is_pointed_at_before_it_is_sent(window, handset):
    ana, crew = open_chat(window("max"), "Sunday Gravel Crew"), handset("Jonas")
    type_into(ana, "/opening")
    ana.get_by_role("option").first.wait_for()
    ana.keyboard.press("Enter")
    expect(text_of(ana)).to_have_value(re.compile(r"^Hi \{first_name\}"))
    ana.keyboard.press("Control+Enter")
    expect(ana.locator(".composer__warning").first).to_contain_text("{first_name} is not filled in")
    # The gap is selected: what is typed takes its place.
    ana.keyboard.type("all of you")
    ana.keyboard.press("Control+Enter")
    expect(crew.messages).to_contain_text("Hi all of you, we are open")


def test_the_list_and_the_picker_fit_a_phone(window):
    page = window("max", viewport=PHONE)
    page.goto("/inbox/all/")
    page.locator(".chat-row", has_text="Yuki Tanabe").first.click()
    page.locator("[data-set-mode=reply]").click()
    type_into(page, "/op")
    for surface in (page.locator("saved-replies .popover"), None):
        surface = surface or open_picker(page)
        expect(surface).to_be_visible()
        box = surface.bounding_box()
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        page.keyboard.press("Escape")
        expect(surface).to_be_hidden()
    type_into(page, "")
