"""What else phones send: shown, read only, and never a broken bubble."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import live, open_chat
from tests.browser.threads import fits

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# A part of a kind that nobody has heard of, as a carrier of tomorrow may send it.
FROM_TOMORROW = """
from inbox.models import Message, Part
message = Message.objects.filter(parts__text=%r).get()
Part.objects.filter(message=message).update(kind="other", text="", extra={"type": "hologram", "title": "Hologram"})
"""


def bubbles(page):
    return page.locator(".message[id^=message-]")


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
