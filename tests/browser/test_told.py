"""Polls, places, cards and backgrounds: told on a phone, and seen at once by whoever answers, also on a phone's screen."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, live, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_poll_and_its_votes_are_seen_as_they_come(window, handset, axe):
    ana, phone = (open_chat(window("max", viewport=size), "Sunday Gravel Crew") for size in (None, PHONE))
    for page in (ana, phone):
        live(page)
    jonas = handset("Jonas", "Sunday Gravel Crew")

    jonas.poll("Firelane 7", "Leif Erikson")
    jonas.vote("Leif Erikson")
    jonas.add_option("Skyline")

    for page in (ana, phone):
        poll = page.locator("message-list .poll", has_text="Leif Erikson").last
        expect(poll).to_contain_text("Skyline")
        expect(poll.locator(".poll__option", has_text="Leif Erikson")).to_contain_text("1")
        expect(poll.locator(".poll__option", has_text="Leif Erikson")).to_have_attribute("title", "Jonas")
        expect(poll).to_contain_text("1 person has voted")
    expect(ana.locator(".chat-row", has_text="Sunday Gravel Crew")).to_contain_text(
        "Poll: Firelane 7, Leif Erikson"
    )

    jonas.vote("Leif Erikson")
    for page in (ana, phone):
        expect(page.locator("message-list .poll").last).to_contain_text("0 people have voted")
    axe(ana)


def test_where_they_are_is_shown_while_they_share_it(window, handset, axe):
    ana, phone = (open_chat(window("max", viewport=size), "Nora") for size in (None, PHONE))
    for page in (ana, phone):
        live(page)
    nora = handset("Nora", "Shop")

    nora.share_location()
    for page in (ana, phone):
        expect(page.locator("#locations")).to_contain_text("Nora is sharing their location")
        expect(page.locator("#locations")).to_contain_text("live until")
    expect(ana.locator("message-list")).to_contain_text("Nora began to share their location")

    ana.get_by_role("button", name="Where now?").click()
    for page in (ana, phone):
        place = page.locator("#locations a")
        expect(place).to_have_attribute("href", re.compile(r"^https://www\.openstreetmap\.org/\?mlat="))
    axe(ana)

    nora.stop_location()
    for page in (ana, phone):
        expect(page.locator("#locations .location-card")).to_have_count(0)
    expect(ana.locator("message-list")).to_contain_text("Nora stopped sharing their location")


def test_what_they_call_themselves_is_offered_and_can_be_undone(copy, window, handset):
    copy.shell(
        "from inbox.models import Contact; Contact.objects.filter(first_name='Nora').update(last_name='W.')"
    )
    ana = open_chat(window("max"), "Nora")
    live(ana)
    nora = handset("Nora", "Shop")

    nora.share_card()
    nora.set_background()

    expect(ana.locator("message-list")).to_contain_text("shared their name")
    expect(ana.locator("#details")).to_contain_text("Background: aurora")
    expect(ana.locator("#details .avatar img").first).to_be_visible()
    expect(ana.locator("#details")).to_contain_text("Calls themselves Nora Whitfield")
    name, offer = ana.locator("#head .thread__name"), ana.get_by_role("button", name="Use this name")
    expect(name).to_have_text("Nora W.")
    offer.click()
    expect(name).to_have_text("Nora Whitfield")
    expect(offer).to_have_count(0)
    ana.get_by_role("button", name="Undo").click()
    expect(name).to_have_text("Nora W.")
    offer.click()
    expect(name).to_have_text("Nora Whitfield")


def test_cards_of_apps_and_what_nobody_knows_are_no_broken_bubbles(window, handset, axe):
    ana = open_chat(window("max"), "Nora")
    live(ana)
    nora = handset("Nora", "Shop")

    nora.send_app()
    nora.send_app_clip()
    nora.do_something_unheard_of()

    expect(ana.locator("message-list .app-card")).to_have_count(2)
    expect(ana.locator("message-list .app-card").last).to_contain_text("opens on the phone only")
    axe(ana)
