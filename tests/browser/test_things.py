"""What else phones send: shown, read only, and never a broken bubble."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import live, open_chat
from tests.browser.threads import fits, row

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# A part of a kind that nobody has heard of, as a carrier of tomorrow may send it.
FROM_TOMORROW = """
from inbox.models import Message, Part
message = Message.objects.filter(parts__text=%r).get()
Part.objects.filter(message=message).update(kind="other", text="", extra={"type": "hologram", "title": "Hologram"})
"""


def bubbles(page):
    return page.locator(".message[id^=message-]")


def poll(page):
    return page.locator("message-list .poll").last


def option(page, text):
    return poll(page).locator(".poll__option", has_text=text)


def test_a_poll_and_its_votes_are_live(window, handset, axe):
    ana, lea = (open_chat(window(name), "Imani Clarke") for name in ("ana", "lea"))
    imani = handset("Imani")
    live(ana)
    live(lea)
    imani.poll("At nine", "At noon")
    for page in (ana, lea):
        expect(option(page, "At nine")).to_contain_text("0 votes")
        expect(row(page, "Imani")).to_contain_text("Poll")
    axe(ana)
    imani.vote("At noon")
    for page in (ana, lea):
        expect(option(page, "At noon")).to_contain_text("1 vote: Imani")
        expect(poll(page)).to_contain_text("1 person has voted")
    imani.add_option("At midnight")
    for page in (ana, lea):
        expect(option(page, "At midnight")).to_be_visible()
    imani.vote("At noon")
    expect(option(ana, "At noon")).to_contain_text("0 votes")
    # It is read only: nothing in it can be pressed.
    expect(poll(ana).get_by_role("button")).to_have_count(0)
    expect(poll(ana)).to_contain_text("votes are given on the phone")


def test_a_location_is_shown_while_it_is_shared(window, handset, axe):
    ana, imani = open_chat(window("ana"), "Imani Clarke"), handset("Imani")
    live(ana)
    imani.share_location()
    card = ana.get_by_role("region", name="Location of Imani")
    expect(card).to_contain_text("Imani is sharing their location")
    expect(card).to_contain_text("live until")
    expect(ana.locator(".event-line").last).to_contain_text("Imani began to share their location")
    asked = []
    ana.on("request", lambda request: asked.append(request.url))
    card.get_by_role("button", name="Where now?").click()
    place = card.get_by_role("link")
    expect(place).to_have_attribute("href", re.compile("^https://www.openstreetmap.org/"))
    assert [url for url in asked if not url.startswith(("http://localhost", "ws://localhost"))] == []
    axe(ana)
    imani.stop_location()
    expect(card).to_have_count(0)
    expect(ana.locator(".event-line").last).to_contain_text("Imani stopped sharing their location")


def test_app_cards_contacts_and_appointments(window, handset, axe):
    ana, imani = open_chat(window("ana"), "Imani Clarke"), handset("Imani")
    live(ana)
    for send, words in (
        (imani.send_app, "opens on the phone only"),
        (imani.send_app_clip, "An app clip"),
        (imani.send_contact, "Imani Clarke"),
        (imani.send_appointment, " to "),
    ):
        before = bubbles(ana).count()
        send()
        expect(bubbles(ana)).to_have_count(before + 1)
        expect(bubbles(ana).last).to_contain_text(words)
        expect(bubbles(ana).last.locator(".message__bubble")).to_have_count(1)
    axe(ana)
    with ana.expect_download() as download:
        ana.locator("a.contact-card").last.click()
    assert download.value.suggested_filename.endswith(".vcf")


def test_a_background_and_a_name_are_lines_of_the_thread(window, handset):
    ana, imani = open_chat(window("ana"), "Imani Clarke"), handset("Imani")
    live(ana)
    imani.set_background("aurora")
    expect(ana.locator(".event-line").last).to_contain_text("Imani changed the background")
    imani.set_background("none")
    expect(ana.locator(".event-line").last).to_contain_text("Imani took away the background")
    imani.share_card()
    expect(ana.locator(".event-line").last).to_contain_text("Imani shared their name")


def test_what_nobody_has_heard_of_disturbs_nothing(window, handset, copy):
    ana, imani = open_chat(window("ana"), "Imani Clarke"), handset("Imani")
    live(ana)
    imani.do_something_unheard_of()
    imani.call()
    imani.write("Did you see that?")
    expect(ana.locator("message-list")).to_contain_text("Did you see that?")
    copy.shell(FROM_TOMORROW % "Did you see that?")
    ana.reload()
    expect(bubbles(ana).last).to_contain_text("Hologram that only the phone can show")
    expect(bubbles(ana).last.locator(".message__bubble")).to_have_count(1)
    assert fits(ana)
