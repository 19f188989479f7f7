"""Answers to one message: quoted on both screens, read as a thread, and led back to where they belong."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import live, open_chat
from tests.browser.threads import choose, message, open_menu, send

pytestmark = pytest.mark.browser

# As when the carrier never told of it.
NEVER_ARRIVED = """
from inbox.models import Message
Message.objects.filter(parts__text=%r).delete()
"""


def quote(page, text):
    return message(page, text).locator(".quote")


def quote_on(phone, text):
    return phone.bubble(text).locator(".quote")


def composer_quote(page):
    return page.locator(".composer__quote")


def bar(page):
    """Where in the conversation one stands."""
    return page.locator("#found")


def answer(page, original, text):
    choose(page, original, "Reply")
    expect(composer_quote(page)).to_contain_text(original)
    send(page, text)


def test_by_the_menu_and_by_a_key_with_the_quote_on_both_sides(window, handset, axe):
    ana, lea, calvin = (
        open_chat(window("ana"), "Calvin Brandt"),
        open_chat(window("lea"), "Calvin Brandt"),
        handset("Calvin"),
    )
    live(ana)
    live(lea)
    calvin.write("Are tubes included?")
    calvin.write("And the fitting?")
    answer(ana, "Are tubes included?", "Two of them are")
    for page in (ana, lea):
        expect(quote(page, "Two of them are")).to_contain_text("Calvin Are tubes included?")
    expect(quote_on(calvin, "Two of them are")).to_contain_text("Are tubes included?")

    ana.keyboard.press("Escape")
    message(ana, "And the fitting?").focus()
    ana.keyboard.press("r")
    expect(composer_quote(ana)).to_contain_text("And the fitting?")
    expect(ana.locator(".composer__text")).to_be_focused()
    axe(ana)
    ana.keyboard.type("Fitting is ten")
    ana.keyboard.press("Control+Enter")
    expect(quote_on(calvin, "Fitting is ten")).to_contain_text("And the fitting?")
    expect(quote(ana, "Fitting is ten")).to_contain_text("And the fitting?")
    expect(composer_quote(ana)).to_be_hidden()

    calvin.reply("Fitting is ten", "Fair enough")
    for page in (ana, lea):
        expect(quote(page, "Fair enough")).to_contain_text(re.compile("(You|Ana) Fitting is ten"))


def test_who_thinks_better_of_it_answers_nothing(window, handset):
    ana, calvin = open_chat(window("ana"), "Calvin Brandt"), handset("Calvin")
    live(ana)
    calvin.write("Never mind this one")
    open_menu(ana, "Never mind this one").locator("[data-do=reply]").click()
    expect(composer_quote(ana)).to_contain_text("Never mind this one")
    ana.locator(".composer__text").press("Escape")
    expect(composer_quote(ana)).to_be_hidden()
    open_menu(ana, "Never mind this one").locator("[data-do=reply]").click()
    ana.get_by_role("button", name="Do not answer this message").click()
    expect(composer_quote(ana)).to_be_hidden()
    send(ana, "This answers nothing")
    expect(quote(ana, "This answers nothing")).to_have_count(0)
    expect(calvin.messages).to_contain_text("This answers nothing")
    expect(quote_on(calvin, "This answers nothing")).to_have_count(0)


def test_a_thread_is_read_and_answered_by_itself(window, handset):
    ana, calvin = open_chat(window("ana"), "Calvin Brandt"), handset("Calvin")
    live(ana)
    calvin.write("Which pump do you like?")
    calvin.write("Lovely weather, too")
    answer(ana, "Which pump do you like?", "The tall one")
    expect(message(ana, "Lovely weather, too")).to_be_visible()

    quote(ana, "The tall one").click()
    expect(bar(ana)).to_contain_text("Thread · 1 reply")
    expect(message(ana, "Lovely weather, too")).to_have_count(0)
    expect(ana.locator(".message[id^=message-]")).to_have_count(2)
    expect(composer_quote(ana)).to_contain_text("Which pump do you like?")

    # What belongs to it comes in, the rest waits outside.
    calvin.reply("The tall one", "For road bikes, I hope")
    expect(quote(ana, "For road bikes, I hope")).to_contain_text("The tall one")
    calvin.write("By the way, is it going to rain?")
    expect(bar(ana).locator(".badge")).to_have_text("1")
    expect(message(ana, "is it going to rain?")).to_have_count(0)
    send(ana, "For all of them")
    expect(quote_on(calvin, "For all of them")).to_contain_text("Which pump do you like?")

    bar(ana).get_by_role("link", name=re.compile("Latest messages")).click()
    expect(bar(ana)).to_be_hidden()
    for text in ("is it going to rain?", "Lovely weather, too", "For all of them", "For road bikes, I hope"):
        expect(message(ana, text)).to_have_count(1)
    expect(composer_quote(ana)).to_be_hidden()


def test_from_a_thread_the_quote_leads_to_the_original_in_its_place(window, handset):
    ana, calvin = open_chat(window("ana"), "Calvin Brandt"), handset("Calvin")
    live(ana)
    calvin.write("Between two others")
    calvin.write("The one after it")
    answer(ana, "Between two others", "An answer far below")
    choose(ana, "An answer far below", "Show the thread")
    expect(bar(ana)).to_contain_text("Thread")
    quote(ana, "An answer far below").click()
    original = message(ana, "Between two others").first
    expect(original).to_be_focused()
    expect(original).to_have_attribute("data-found", "")
    expect(message(ana, "The one after it")).to_be_visible()


def test_what_answers_a_message_that_is_not_known_says_so(window, handset, copy):
    ana, calvin = open_chat(window("ana"), "Calvin Brandt"), handset("Calvin")
    calvin.write("Nobody will hear of this")
    live(ana)
    expect(message(ana, "Nobody will hear of this")).to_be_visible()
    copy.shell(NEVER_ARRIVED % "Nobody will hear of this")
    ana.reload()
    expect(message(ana, "Nobody will hear of this")).to_have_count(0)
    live(ana)
    calvin.reply("Nobody will hear of this", "As I said before")
    expect(quote(ana, "As I said before")).to_have_text(
        "In reply to: An earlier message that has not arrived here"
    )
    expect(ana.locator("a.quote", has_text="An earlier message")).to_have_count(0)
