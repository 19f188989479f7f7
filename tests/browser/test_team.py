"""A lead looks into a colleague's inbox and answers there; who loses a line loses what is open of it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, live, open_chat

pytestmark = pytest.mark.browser

TAKE = """
from lines.models import Line, User
line, ana = Line.objects.get(environment__slug="fairwheel", name="{line}"), User.objects.get(email="ana@fairwheel.example")
line.{verb}(ana, by=User.objects.get(email="max@fairwheel.example"))
"""


def look_into(page, name):
    page.goto("/team/")
    page.locator(".people-list__item", has_text=name).click()
    page.wait_for_url(re.compile("/open/$"))
    live(page)
    return page


def test_a_lead_answers_in_a_colleagues_inbox_and_leaves_no_mark(window, axe):
    ben, lea = window("ben"), look_into(window("lea"), "Ben Okafor")
    ben.goto("/inbox/mine/")
    live(ben)
    row = lea.locator(".chat-row", has_text="Yuki Tanabe")
    unread = row.locator(".badge").inner_text()
    row.click()
    expect(lea.locator("#looking")).to_contain_text("Nothing is marked as read for Ben. You write as Lea.")
    axe(lea)
    lea.locator(".composer__text").fill("It is on the stand")
    lea.get_by_role("button", name="Send", exact=True).click()

    theirs = ben.locator(".chat-row", has_text="Yuki Tanabe")
    expect(theirs).to_contain_text("Lea: It is on the stand")
    expect(theirs.locator(".badge")).to_have_text(unread)
    expect(row.locator(".badge")).to_have_text(unread)
    expect(lea.locator(".people-list__item", has_text="Ben Okafor")).to_contain_text("2 unread")

    theirs.click()
    expect(row.locator(".badge")).to_have_count(0)
    expect(lea.locator(".people-list__item", has_text="Ben Okafor")).to_contain_text("1 unread")
    lea.get_by_role("button", name="Take over").click()
    expect(lea.get_by_role("button", name="Take over")).to_be_hidden()
    expect(row).to_have_count(0)
    expect(ben.locator("#head")).to_contain_text("Lea")


def test_who_waits_longest_stands_first_also_when_that_changes(window, handset):
    lea = window("lea")
    lea.goto("/team/")
    live(lea)
    names = lea.locator("chat-list .chat-row__name")
    expect(names.first).to_have_text("Luis Ortega")
    before = names.count()

    handset("Petra").write("One more question")
    expect(names.last).to_have_text("Petra Novak")
    expect(names).to_have_count(before + 1)
    lea.locator(".chat-row", has_text="Luis Ortega").click()
    lea.locator(".composer__text").fill("It is ready")
    lea.get_by_role("button", name="Send", exact=True).click()
    expect(names.first).not_to_have_text("Luis Ortega")


def test_who_is_removed_from_a_line_loses_what_is_open_of_it_within_a_second(window, copy):
    ana, colleague = open_chat(window("ana"), "Nora Whitfield"), look_into(window("ana"), "Shop")
    live(ana)
    copy.shell(TAKE.format(line="Shop", verb="shut_out"))
    for page in (ana, colleague):
        expect(page.locator(".chat-row", has_text="Nora Whitfield")).to_have_count(0, timeout=1000)
    expect(ana.locator("message-list")).to_have_count(0, timeout=1000)
    expect(ana.locator("#toasts")).to_contain_text("not yours to see any more")
    expect(ana).to_have_url(re.compile("/inbox/all/$"))
    expect(colleague).to_have_url(re.compile("/inbox/mine/"))

    copy.shell(TAKE.format(line="Shop", verb="let_in"))
    expect(ana.locator(".chat-row", has_text="Nora Whitfield")).to_be_visible()


def test_the_team_is_walked_by_keys_and_found_by_name(window):
    lea = window("lea")
    lea.goto("/team/")
    live(lea)
    field = lea.get_by_role("searchbox", name="Find a person or a line")
    field.fill("ren")
    expect(lea.locator(".people-list__item:visible")).to_have_text(re.compile("Rentals"))
    field.fill("nobody of that name")
    expect(lea.get_by_text("Nobody is called so, and no line.")).to_be_visible()
    field.fill("mei")
    field.press("Tab")
    expect(lea.locator(".people-list__item", has_text="Mei Lindqvist")).to_be_focused()
    lea.keyboard.press("Enter")
    lea.wait_for_url(re.compile("/open/$"))
    live(lea)
    lea.keyboard.press("j")
    expect(lea.locator("#looking")).to_contain_text("Mei’s inbox")
    lea.go_back()
    expect(lea.get_by_role("heading", name="Mei Lindqvist’s inbox")).to_be_visible()


def test_on_a_phone_the_team_its_inboxes_and_their_conversations_are_screens(window, axe):
    lea = window("lea", viewport=PHONE, has_touch=True, is_mobile=True)
    lea.goto("/team/")
    expect(lea.locator("chat-list")).to_be_hidden()
    axe(lea)
    lea.locator(".people-list__item", has_text="Mei Lindqvist").tap()
    expect(lea.locator("chat-list")).to_be_visible()
    expect(lea.locator(".people-list")).to_be_hidden()
    axe(lea)
    lea.locator(".chat-row").first.tap()
    expect(lea.locator("#looking")).to_be_visible()
    assert lea.evaluate("document.documentElement.scrollWidth") <= 390
    axe(lea)
    lea.go_back()
    lea.get_by_role("link", name="Back to the team").tap()
    expect(lea.locator(".people-list")).to_be_visible()
