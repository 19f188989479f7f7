"""Finding what was said, and reading on from there."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, live

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG = 170
A_LONG_STORY = """
import json
from datetime import timedelta
from django.utils import timezone
from inbox.mirror.messages import mirrored_id
from inbox.models import Contact, Handle, Message, Part
from lines.models import Environment, User
environment = Environment.objects.get(slug="fairwheel")
line = environment.lines.get(name="Shop")
handle, _ = Handle.objects.get_or_create(environment=environment, value="+12025550188")
handle.contact = Contact.objects.create(environment=environment, first_name="Larissa", last_name="Longfellow")
handle.save()
from inbox.models import Chat
chat = Chat.start(line, [handle.value], by=User.objects.get(email="ana@fairwheel.example"))
for number in range(%d):
    at = timezone.now() - timedelta(days=40, minutes=10 * number)
    message = Message.objects.create(id=mirrored_id(environment, number, at), environment=environment, chat=chat, line=line, direction="inbound", sender=handle, at=at,
        created_at=at, service="iMessage")
    text = "The pannier racks, again" if number in (90, 120, 150) else "Story, part " + str(number)
    Part.objects.create(message=message, index=0, kind="text", text=text)
    chat.last_message = chat.last_message or message
chat.last_activity_at = timezone.now() - timedelta(days=40)
chat.save()
ids = list(chat.messages.newest_first().values_list("pk", flat=True))
print("STORY " + json.dumps([str(chat.pk), *map(str, ids)]))
"""


@pytest.fixture(scope="module")
def story(copy):
    """The id of a long conversation, and those of its messages, newest first."""
    import json

    chat, *messages = json.loads(copy.shell(A_LONG_STORY % LONG).split("STORY ")[1].splitlines()[0])
    return chat, messages


def reply(page, text):
    page.locator(".composer__text").fill(text)
    page.locator(".composer__send").click()


def message_of(page, story, place):
    return page.locator(f"#message-{story[1][place]}")


def top_of(locator):
    return locator.evaluate("(item) => item.getBoundingClientRect().top")


def jump(page, message):
    page.evaluate(
        "(message) => document.dispatchEvent(new CustomEvent('message:jump', { detail: { message } }))",
        message,
    )


def read_on(page, loader, holding):
    """Scroll until the loader is just in sight; what is held must not move while it loads."""
    before = page.evaluate(
        """([loader, holding]) => new Promise((resolve) => {
          const list = document.querySelector("message-list")
          const item = document.querySelector(holding)
          document.querySelector(loader).scrollIntoView({ block: "nearest" })
          const top = item.getBoundingClientRect().top
          const count = list.querySelectorAll(".message[id]").length
          const look = () => {
            if (list.querySelectorAll(".message[id]").length === count) return setTimeout(look, 20)
            setTimeout(() => resolve([top, item.getBoundingClientRect().top]), 300)
          }
          look()
        })""",
        [loader, holding],
    )
    assert abs(before[0] - before[1]) < 3


def test_a_message_in_its_place_and_on_from_there_both_ways(window, story):
    ana = window("ana")
    ana.goto(f"/messages/{story[1][90]}/")
    found = message_of(ana, story, 90)
    expect(found).to_have_attribute("data-found", "")
    expect(found).to_be_in_viewport()
    bar = ana.locator("#found")
    expect(bar).to_contain_text("Earlier messages")
    expect(message_of(ana, story, 116)).to_have_count(0)
    expect(message_of(ana, story, 64)).to_have_count(0)

    read_on(ana, ".thread__older", f"#message-{story[1][115]}")
    expect(message_of(ana, story, 140)).to_have_count(1)
    read_on(ana, ".thread__newer", f"#message-{story[1][65]}")
    expect(message_of(ana, story, 20)).to_have_count(1)
    expect(bar).to_be_visible()
    read_on(ana, ".thread__newer", f"#message-{story[1][15]}")
    expect(message_of(ana, story, 0)).to_have_count(1)
    expect(bar).to_be_hidden()
    order = ana.locator(".thread__messages .message[id]").evaluate_all(
        "(all) => all.map((one) => one.id.slice(8))"
    )
    assert order == story[1][: len(order)][::-1]


def test_a_jump_to_what_is_quoted_and_back_to_the_latest(window, story):
    ana, ben = window("ana"), window("ben")
    for page in (ana, ben):
        page.goto(f"/inbox/all/{story[0]}/")
        live(page)
    jump(ana, story[1][10])
    expect(message_of(ana, story, 10)).to_have_attribute("data-found", "")
    expect(ana.locator("#found")).to_be_hidden()

    jump(ana, story[1][130])
    expect(message_of(ana, story, 130)).to_be_focused()
    expect(message_of(ana, story, 130)).to_be_in_viewport()
    expect(message_of(ana, story, 10)).to_have_count(0)

    # What is said meanwhile is counted, not put where it does not belong.
    reply(ben, "Are you still there, Larissa?")
    badge = ana.locator("#found .badge")
    expect(badge).to_have_text("1")
    said = ana.locator(".message", has_text="Are you still there, Larissa?")
    expect(said).to_have_count(0)
    ana.get_by_role("link", name=re.compile("Latest messages")).click()
    expect(said).to_be_in_viewport()
    expect(said).to_have_count(1)
    expect(ana.locator("#found")).to_be_hidden()
    expect(badge).to_be_hidden()

    # Who writes is taken to what they wrote.
    jump(ana, story[1][130])
    expect(message_of(ana, story, 130)).to_be_in_viewport()
    reply(ana, "Or shall I ring?")
    mine = ana.locator(".message[id]", has_text="Or shall I ring?")
    expect(mine).to_be_in_viewport()
    expect(mine).to_have_count(1)
    expect(said).to_have_count(1)


def test_what_cannot_be_shown_is_said(window, story):
    ana = window("ana")
    ana.goto(f"/inbox/all/{story[0]}/")
    jump(ana, "00000000-0000-7000-8000-000000000000")
    expect(ana.locator("#found")).to_contain_text("That message cannot be shown here")


def test_back_and_reload_keep_the_place_on_a_phone_too(window, story):
    for viewport in ({"width": 1440, "height": 900}, PHONE):
        ana = window("ana", viewport=viewport)
        ana.goto("/inbox/all/")
        ana.goto(f"/messages/{story[1][100]}/")
        expect(message_of(ana, story, 100)).to_be_in_viewport()
        ana.reload()
        expect(message_of(ana, story, 100)).to_be_in_viewport()
        ana.go_back()
        expect(ana.locator(".chat-row").first).to_be_visible()


def found(page):
    return page.locator(".search-hit[data-hit]")


def test_by_keyboard_from_the_inbox_to_the_message_in_its_place(window, story):
    ana = window("ana")
    ana.goto("/inbox/all/")
    live(ana)
    ana.locator(".chat-list__title").click()
    ana.keyboard.press("/")
    expect(ana.locator("[data-search]")).to_be_focused()
    ana.keyboard.type("pannier")
    ana.keyboard.press("Enter")
    ana.wait_for_url(re.compile(r"/search/\?q=pannier$"))
    expect(ana.locator("#count")).to_have_text("3 messages in 1 conversation, newest first")
    expect(found(ana).first.locator("mark")).to_have_text("pannier")

    # What is typed on narrows it; the address follows, and Back does not go through every letter.
    ana.keyboard.type(" racks zzz")
    expect(ana.locator("#count")).to_have_text("Nothing found")
    for _ in range(4):
        ana.keyboard.press("Backspace")
    expect(found(ana)).to_have_count(3)
    expect(ana).to_have_url(re.compile(r"q=pannier\+racks$"))

    ana.keyboard.press("ArrowDown")
    ana.keyboard.press("ArrowDown")
    expect(found(ana).nth(1)).to_be_focused()
    ana.keyboard.press("Enter")
    message = message_of(ana, story, 120)
    expect(message).to_be_in_viewport()
    expect(message).to_have_attribute("data-found", "")
    expect(message.locator("mark")).to_have_text(["pannier", "racks"])
    expect(found(ana).nth(1)).to_have_attribute("aria-current", "true")
    bar = ana.locator("#found")
    expect(bar).to_contain_text("2 of 3 here")

    ana.get_by_role("link", name="Previous match").click()
    expect(message_of(ana, story, 150)).to_be_in_viewport()
    expect(bar).to_contain_text("1 of 3 here")
    ana.go_back()
    expect(message_of(ana, story, 120)).to_be_in_viewport()
    ana.reload()
    expect(message_of(ana, story, 120)).to_be_in_viewport()
    expect(found(ana)).to_have_count(3)
    ana.go_back()
    expect(ana.locator("#conversation")).to_contain_text("Choose what was found")
    ana.go_forward()
    expect(message_of(ana, story, 120)).to_be_in_viewport()
    ana.get_by_role("link", name=re.compile("Latest messages")).click()
    expect(ana.locator(".thread__messages .message").last).to_be_in_viewport()
    expect(bar).to_be_hidden()

    # Out of the composer first, then back to the inbox.
    ana.locator(".composer__text").focus()
    ana.keyboard.press("Escape")
    ana.keyboard.press("Escape")
    ana.wait_for_url(re.compile("/inbox/mine/"))


def test_filters_are_chips_that_come_and_go(window, story):
    ana = window("ana")
    ana.goto("/search/")
    field = ana.locator("[data-search]")
    expect(field).to_be_focused()
    ana.keyboard.type("pannier from:Larissa ")
    chips = ana.locator(".search-filters .chip")
    expect(chips).to_have_text(["from: Larissa"])
    expect(field).to_have_value("pannier ")
    ana.get_by_role("button", name="Filter").click()
    ana.get_by_role("menuitem", name=re.compile("In closed ones")).click()
    expect(chips).to_have_text(["from: Larissa", "is: closed"])
    expect(ana.locator("#results")).to_contain_text("Nothing found")
    ana.get_by_role("link", name="Search without is: closed").click()
    expect(found(ana)).to_have_count(3)
    expect(field).to_have_value("pannier")
    ana.get_by_role("button", name="Filter").click()
    ana.get_by_role("menuitem", name=re.compile("Before a day")).click()
    expect(field).to_be_focused()
    expect(ana.locator("#results")).to_contain_text("before: needs a day")
    ana.keyboard.type("yesterday ")
    expect(found(ana)).to_have_count(3)
    expect(ana).to_have_url(re.compile(r"q=from%3ALarissa\+before%3Ayesterday\+pannier$"))


def test_within_a_conversation_and_by_a_number(window, story):
    ana = window("ana")
    ana.goto(f"/inbox/all/{story[0]}/")
    ana.get_by_role("link", name="Search in this conversation").click()
    expect(ana.locator(".search-filters .chip")).to_have_text(["in: Larissa Longfellow"])
    ana.locator("[data-search]").fill("racks")
    expect(found(ana)).to_have_count(3)

    ana.goto("/search/")
    ana.locator("[data-search]").fill("(202) 555-0188")
    expect(ana.locator("#results")).to_contain_text("Found by its number")
    ana.locator("[data-search]").fill(story[1][140])
    ana.locator(".search-hit", has_text="Story, part 140").click()
    expect(message_of(ana, story, 140)).to_be_in_viewport()

    ana.goto("/search/?q=larissa")
    person = ana.locator(".search-hit[data-kind=person]")
    expect(person).to_contain_text("Larissa Longfellow")
    person.click()
    expect(ana.locator("#conversation")).to_contain_text("Story, part 0")


def test_on_a_phone_it_is_a_screen_of_its_own(window, story, axe):
    for theme in ("light", "dark"):
        phone = window("ana", viewport=PHONE, color_scheme=theme, reduced_motion="reduce")
        phone.goto("/search/?q=pannier")
        expect(phone.locator("#conversation")).to_be_hidden()
        axe(phone)
        found(phone).nth(1).click()
        expect(message_of(phone, story, 120)).to_be_in_viewport()
        expect(phone.locator("search-list")).to_be_hidden()
        axe(phone)
        phone.get_by_role("link", name="Back to the list").click()
        expect(found(phone).first).to_be_visible()


def test_axe_finds_nothing(window, story, axe):
    for theme in ("light", "dark"):
        max = window("max", color_scheme=theme, reduced_motion="reduce")
        for query in (
            "",
            "pannier",
            "pannier is:closed",
            "colour:x",
            "larissa",
            f"pannier&at={story[1][120]}",
        ):
            max.goto(f"/search/?q={query}")
            axe(max)
        max.get_by_role("button", name="Filter").click()
        axe(max)
