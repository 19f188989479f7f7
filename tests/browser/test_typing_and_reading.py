"""Dots and receipts: who is writing and who has read, in both directions."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import live, open_chat
from tests.browser.threads import message, row, send, state

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOBODY_TYPES_FOR = 25_000


def typing(page):
    return page.locator("#typing typing-mark")


def dots(phone):
    return phone.messages.locator(".typing-dots")


def field(page):
    return page.locator(".composer__text")


def test_theirs_is_seen_in_the_thread_and_in_the_list_until_it_ends(window, handset, axe):
    ana, petra = open_chat(window("ana"), "Petra Novak"), handset("Petra")
    mei = window("mei")
    mei.goto("/inbox/all/")
    live(ana)
    live(mei)
    petra.type("I am not quite su")
    expect(typing(ana)).to_contain_text("Petra is typing")
    for page in (ana, mei):
        expect(row(page, "Petra")).to_contain_text("Petra is typing…")
    axe(ana)
    petra.field.fill("")
    for page in (ana, mei):
        expect(row(page, "Petra")).not_to_contain_text("is typing")
    expect(typing(ana)).to_have_count(0)

    # The message itself ends it, too.
    petra.type("But now I am")
    expect(typing(ana)).to_have_count(1)
    petra.page.get_by_role("button", name="Send", exact=True).click()
    expect(message(ana, "But now I am")).to_be_visible()
    expect(typing(ana)).to_have_count(0)
    expect(row(mei, "Petra")).not_to_contain_text("is typing")


def test_ours_is_shown_while_one_writes_and_never_for_a_note(window, handset):
    ana, petra = open_chat(window("ana"), "Petra Novak"), handset("Petra")
    live(ana)
    field(ana).press_sequentially("One mom")
    expect(dots(petra)).to_have_count(1)
    field(ana).fill("")
    expect(dots(petra)).to_have_count(0)
    field(ana).press_sequentially("Yes, we")
    expect(dots(petra)).to_have_count(1)
    # Whoever stops for a while has stopped.
    expect(dots(petra)).to_have_count(0, timeout=NOBODY_TYPES_FOR + 15_000)

    field(ana).press_sequentially(" do")
    expect(dots(petra)).to_have_count(1)
    field(ana).press("Control+Enter")
    expect(petra.messages).to_contain_text("Yes, we do")
    expect(dots(petra)).to_have_count(0)

    told = []
    ana.on("request", lambda request: "/typing/" in request.url and told.append(request.url))
    ana.locator("[data-set-mode=note]").click()
    field(ana).press_sequentially("She is always in a hurry")
    field(ana).press("Control+Enter")
    expect(ana.locator(".note", has_text="She is always in a hurry")).to_be_visible()
    assert told == []
    ana.locator("[data-set-mode=reply]").click()


def turn(page, switch, *, on):
    page.goto("/settings/people/")
    page.get_by_role("link", name="Settings of Rentals").click()
    button = page.get_by_role("switch", name=switch)
    if (button.get_attribute("aria-checked") == "true") != on:
        button.click()
    expect(button).to_have_attribute("aria-checked", str(on).lower())


AUTO_TYPING = "Show that we are typing"


def test_where_it_is_switched_off_one_shows_it_oneself(window, handset):
    max, petra = window("max"), handset("Petra")
    turn(max, AUTO_TYPING, on=False)
    try:
        ana = open_chat(window("ana"), "Petra Novak")
        live(ana)
        told = []
        ana.on("request", lambda request: "/typing/" in request.url and told.append(request.url))
        field(ana).press_sequentially("Nobody sees this")
        expect(ana.locator(".composer__hint")).to_contain_text("Draft saved")
        assert told == []
        button = ana.get_by_role("button", name="Show that you are typing")
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(dots(petra)).to_have_count(1)
        button.click()
        expect(button).to_have_attribute("aria-pressed", "false")
        expect(dots(petra)).to_have_count(0)
        field(ana).fill("")
        expect(ana.locator(".composer__hint")).to_have_text("")
    finally:
        turn(max, AUTO_TYPING, on=True)


def test_who_of_the_team_has_read_it(window, handset):
    ana, petra = open_chat(window("ana"), "Petra Novak"), handset("Petra")
    live(ana)
    petra.write("Who reads this first?")
    expect(message(ana, "Who reads this first?")).to_be_visible()
    seen = ana.locator("#seen")
    expect(seen).to_contain_text("Seen by you")
    expect(seen).not_to_contain_text("Mei")
    mei = open_chat(window("mei"), "Petra Novak")
    live(mei)
    expect(seen).to_contain_text("Mei")
    expect(mei.locator("#seen")).to_contain_text("Ana")


def test_their_receipts_and_ours(window, handset):
    ana, petra = open_chat(window("ana"), "Petra Novak"), handset("Petra")
    live(ana)
    send(ana, "Have you read the contract?")
    petra.read()
    expect(state(ana, "Have you read the contract?")).to_contain_text(re.compile(r"Read"))

    # Ours is told to the phone once somebody looks at it, and not before.
    away = window("ana")
    away.goto("/inbox/all/")
    ana.context.close()
    live(away)
    petra.write("Now I have, yes")
    receipt = petra.bubble("Now I have, yes")
    expect(receipt).to_contain_text("Delivered")
    expect(row(away, "Petra")).to_contain_text("Now I have, yes")
    expect(receipt).not_to_contain_text("Read")
    row(away, "Petra").click()
    expect(receipt).to_contain_text("Read")
