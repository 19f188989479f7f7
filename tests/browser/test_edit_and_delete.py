"""What was said, said otherwise, and taken out of our records: live for everybody, and as the phone has it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import live, open_chat
from tests.browser.threads import choose, menu, message, open_menu, row, send

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Undo is offered for 5 s, and for 6 s nothing is taken away.
UNDO_IS_OVER = 7_000
LONG_AGO = """
from datetime import timedelta
from django.utils import timezone
from inbox.models import Message
earlier = timezone.now() - timedelta(minutes=16)
Message.objects.filter(parts__text=%r).update(sent_at=earlier, accepted_at=earlier)
"""


def edit(page, text, words, *, with_key=True):
    choose(page, text, "Edit")
    field = page.get_by_role("form", name="Edit the message").get_by_label("Text")
    expect(field).to_be_focused()
    expect(field).to_have_value(text)
    field.fill(words)
    with page.expect_response(re.compile("/edit/$")):
        if with_key:
            field.press("Enter")
        else:
            page.get_by_role("button", name="Save", exact=True).click()


def history(page, text):
    """What the word “Edited” opens."""
    message(page, text).get_by_role("button", name="Edited").click()
    return message(page, text).get_by_role("dialog", name="Edit history")


def test_ours_is_edited_and_both_versions_are_kept(window, handset, axe):
    ana, lea = (open_chat(window(name), "Imani Clarke") for name in ("ana", "lea"))
    imani = handset("Imani")
    live(ana)
    live(lea)
    send(ana, "We meet at nine")
    open_menu(ana, "We meet at nine")
    expect(menu(ana).locator("[data-do=edit]")).to_contain_text(re.compile(r"Edit\s*1[45] min left"))
    axe(ana)
    ana.keyboard.press("Escape")

    edit(ana, "We meet at nine", "We meet at ten")
    for page in (ana, lea):
        expect(message(page, "We meet at ten")).to_contain_text("Edited")
        expect(page.locator(".message__text", has_text="We meet at nine")).to_have_count(0)
    expect(imani.bubble("We meet at ten")).to_contain_text("Edited")
    expect(imani.messages).not_to_contain_text("We meet at nine")
    edit(ana, "We meet at ten", "We meet at eleven", with_key=False)
    expect(imani.messages).to_contain_text("We meet at eleven")

    told = history(lea, "We meet at eleven")
    expect(told).to_contain_text("Edited twice")
    expect(told.locator("li")).to_have_count(3)
    expect(told.locator("li").first).to_contain_text("Ana")
    for words in ("nine", "ten", "eleven"):
        expect(told).to_contain_text(words)
    axe(lea)
    lea.keyboard.press("Escape")
    expect(told).to_be_hidden()


def test_who_thinks_better_of_an_edit_changes_nothing(window, handset):
    ana, imani = open_chat(window("ana"), "Imani Clarke"), handset("Imani")
    live(ana)
    send(ana, "Bring a lamp")
    choose(ana, "Bring a lamp", "Edit")
    ana.keyboard.type(" or t")
    # What is told of it meanwhile does not take the field away.
    imani.react("Bring a lamp", "Like")
    expect(message(ana, "Bring a lamp").locator(".reaction")).to_have_count(1)
    ana.keyboard.type("wo")
    expect(ana.get_by_role("form", name="Edit the message").get_by_label("Text")).to_have_value(
        "Bring a lamp or two"
    )
    ana.keyboard.press("Escape")
    expect(ana.get_by_role("form", name="Edit the message")).to_have_count(0)
    expect(message(ana, "Bring a lamp")).not_to_contain_text("Edited")
    expect(imani.bubble("Bring a lamp")).not_to_contain_text("Edited")


def test_theirs_edited_is_live(window, handset):
    ana, imani = open_chat(window("ana"), "Imani Clarke"), handset("Imani")
    live(ana)
    imani.write("My sister is called Hope")
    expect(message(ana, "My sister is called Hope")).to_be_visible()
    imani.edit("My sister is called Hope", "My sister is called Joy")
    expect(message(ana, "My sister is called Joy")).to_contain_text("Edited")
    expect(row(ana, "Imani")).to_contain_text("My sister is called Joy")
    told = history(ana, "My sister is called Joy")
    expect(told).to_contain_text("Edited once")
    expect(told).to_contain_text("Imani")
    expect(told).to_contain_text("Hope")
    # Theirs is not ours to change.
    open_menu(ana, "My sister is called Joy")
    expect(menu(ana).locator("[data-do=edit]")).to_have_count(0)


def test_it_says_why_a_message_cannot_be_edited_any_more(window, copy, handset):
    ana, imani = open_chat(window("ana"), "Imani Clarke"), handset("Imani")
    live(ana)
    send(ana, "Said too early")
    copy.shell(LONG_AGO % "Said too early")
    # This page does not know yet that it is late.
    edit(ana, "Said too early", "Said too late")
    expect(ana.locator("#toasts")).to_contain_text("A message can be edited for 15 minutes.")
    expect(imani.messages).not_to_contain_text("Said too late")
    ana.reload()
    expect(message(ana, "Said too early")).to_be_visible()
    live(ana)
    open_menu(ana, "Said too early")
    expect(menu(ana).locator("[data-do=edit]")).to_have_count(0)


def test_a_sixth_edit_is_not_offered(window, handset):
    ana = open_chat(window("ana"), "Imani Clarke")
    live(ana)
    send(ana, "Version 0")
    for number in range(5):
        edit(ana, f"Version {number}", f"Version {number + 1}")
        expect(message(ana, f"Version {number + 1}")).to_contain_text("Edited")
    open_menu(ana, "Version 5")
    expect(menu(ana).locator("[data-do=edit]")).to_have_count(0)
    ana.keyboard.press("Escape")
    expect(handset("Imani").messages).to_contain_text("Version 5")


def test_an_edit_that_the_carrier_refuses_is_taken_back_with_a_line(window, handset):
    ana, imani = open_chat(window("ana"), "Imani Clarke"), handset("Imani")
    live(ana)
    send(ana, "It costs forty")
    imani.switch_fault("Next reactions and edits refused")
    edit(ana, "It costs forty", "It costs fifty")
    expect(ana.locator(".event-line", has_text="did not arrive; the message is as it was")).to_be_visible()
    expect(message(ana, "It costs forty")).to_have_count(1)
    expect(message(ana, "It costs forty")).not_to_contain_text("Edited")
    expect(ana.locator(".message", has_text="It costs fifty")).to_have_count(0)


def test_a_deletion_is_undone_in_time(window, handset):
    max, lea = (open_chat(window(name), "Imani Clarke") for name in ("max", "lea"))
    live(max)
    live(lea)
    send(max, "Deleted by mistake")
    choose(max, "Deleted by mistake", "Delete here")
    for page, who in ((max, "You"), (lea, "Max")):
        expect(page.locator(".tombstone").last).to_contain_text(f"{who} deleted a message")
        expect(message(page, "Deleted by mistake")).to_have_count(0)
        expect(row(page, "Imani")).not_to_contain_text("Deleted by mistake")
    max.get_by_role("button", name="Undo").click()
    for page in (max, lea):
        expect(message(page, "Deleted by mistake")).to_have_count(1)
        expect(row(page, "Imani")).to_contain_text("Deleted by mistake")


def test_what_was_deleted_is_gone_here_and_stays_on_the_phone(window, handset, axe):
    max, lea = (open_chat(window(name), "Imani Clarke") for name in ("max", "lea"))
    imani = handset("Imani")
    live(max)
    live(lea)
    send(max, "This was not for you")
    imani.write("And this not for them")
    expect(message(max, "And this not for them")).to_be_visible()
    open_menu(max, "And this not for them")
    expect(menu(max).locator("[data-do=delete]")).to_contain_text("Stays on their phone")
    max.keyboard.press("Escape")
    for text, words in (("This was not for you", "a message"), ("And this not for them", "this message")):
        choose(max, text, "Delete here")
        expect(lea.locator(".tombstone", has_text=f"Max deleted {words}").last).to_be_visible()
    axe(max)
    max.wait_for_timeout(UNDO_IS_OVER)
    for page in (max, lea):
        page.reload()
        expect(page.locator(".tombstone", has_text="deleted a message").last).to_contain_text("It stays on")
        expect(page.locator("message-list")).not_to_contain_text("This was not for you")
        expect(page.locator("message-list")).not_to_contain_text("And this not for them")
    for text in ("This was not for you", "And this not for them"):
        expect(imani.bubble(text)).to_be_visible()


def allow(page, what):
    """Whether Ana "Deletes" or "Deletes nothing" on Rides."""
    page.goto("/settings/people/")
    with page.expect_response(re.compile("/let-in/$")):
        page.get_by_label("Whether Ana Ferreira may delete on Rides").select_option(label=what)


@pytest.fixture
def no_right(window):
    """For Ana, as long as the test lasts."""
    page = window("max")
    allow(page, "Deletes nothing")
    yield
    allow(page, "Deletes")


def test_without_the_right_there_is_nothing_to_delete_with(no_right, window, handset, copy):
    imani = handset("Imani")
    imani.write("Ana may only read this")
    ana = open_chat(window("ana"), "Imani Clarke")
    open_menu(ana, "Ana may only read this")
    expect(menu(ana).get_by_role("menuitem", name=re.compile("Copy text"))).to_be_visible()
    expect(menu(ana).get_by_role("menuitem", name=re.compile("Delete"))).to_have_count(0)
    # And the door is shut as well.
    number = message(ana, "Ana may only read this").get_attribute("id").removeprefix("message-")
    token = ana.evaluate("JSON.parse(document.body.getAttribute('hx-headers'))['X-CSRFToken']")
    answer = ana.request.post(
        f"{copy.url}/messages/{number}/delete/", headers={"X-CSRFToken": token, "Origin": copy.url}
    )
    assert answer.status == 403
    expect(imani.messages).to_contain_text("Ana may only read this")
