"""Groups, as agents and the people in them see them at the same time."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, live, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000004000000040802000000269309290000001049444154789c6330989000470cc47100d1431"
    "2015be231120000000049454e44ae426082"
)

# A group of its own for each test, told by the carrier as any other.
A_GROUP = """
from lines.gateways import OutgoingMessage
from lines.models import Environment
from lines.sandbox import carrier, groups
from lines.models.sandbox import SandboxChat
environment = Environment.objects.get(slug="fairwheel")
people = ["+15035550172", "+15035550195", "+19715550146", "+15035550196", "+15035550197"][:%d]
message = OutgoingMessage(
    line=environment.lines.get(name="Rides").phone_number, chat=None, to=people,
    parts=[{"type": "text", "value": "Welcome to %s"}], idempotency_key="welcome %s",
)
taken = carrier.take(environment, message)
groups.rename(SandboxChat.objects.get(pk=taken.chat_id), "%s")
"""

BEGUN_LONG_AGO = """
from datetime import timedelta
from django.db.models import F
from inbox.models import Chat
Chat.objects.filter(display_name="%s").update(created_at=F("created_at") - timedelta(days=1))
"""


@pytest.fixture
def group(copy):
    def make(name, size=5):
        copy.shell(A_GROUP % (size, name, name, name))
        return name

    return make


def members(page):
    return page.locator("#details-members .member:not([data-state])")


def on(copy, name, code):
    """Something that happens at the carrier to the group of that name."""
    copy.shell(
        "from lines.models.sandbox import *; from lines.sandbox import groups, carrier;"
        f"chat = SandboxChat.objects.get(display_name={name!r});"
        "environment = chat.environment;"
        "handset = lambda name: environment.handsets.get(name__startswith=name);" + code
    )


def test_a_new_name_is_asked_for_and_comes_to_everybody(window, group):
    name = group("Naming")
    max, lea = (open_chat(window(person), name) for person in ("max", "lea"))
    live(max)
    live(lea)
    max.get_by_role("button", name="Rename the group").click()
    field = max.get_by_role("textbox", name="Name of the group")
    expect(field).to_be_focused()
    field.fill("Monday Gravel Crew")
    field.press("Enter")
    for page in (max, lea):
        expect(page.locator(".details__name")).to_have_text("Monday Gravel Crew")
        expect(page.locator("#head .thread__name")).to_have_text("Monday Gravel Crew")
        expect(page.locator("message-list")).to_contain_text("named the group “Monday Gravel Crew”")
        expect(page.locator(".details__asked")).to_have_count(0)
        expect(page.locator(".chat-row", has_text="Monday Gravel Crew")).to_have_count(1)
    expect(max).to_have_title(re.compile("Monday Gravel Crew"))

    # Escape leaves it as it is.
    max.get_by_role("button", name="Rename the group").press("Enter")
    field.fill("Nothing of it")
    field.press("Escape")
    expect(max.get_by_role("button", name="Rename the group")).to_be_focused()
    expect(max.locator(".details__name")).to_have_text("Monday Gravel Crew")


def test_the_carriers_no_is_said_where_it_was_asked(window, group, copy):
    max = open_chat(window("max"), group("Refusing"))
    live(max)
    on(
        copy,
        "Refusing",
        "SandboxFaults.objects.update_or_create(environment=environment, defaults={'refuse_group_changes': 1})",
    )
    max.get_by_role("button", name="Rename the group").click()
    max.get_by_role("textbox", name="Name of the group").fill("Something else")
    max.keyboard.press("Enter")
    expect(max.locator(".details__undone")).to_contain_text("It is not called “Something else”")
    expect(max.locator("message-list")).to_contain_text("The carrier did not rename the group")
    expect(max.locator("#head .thread__name")).to_have_text("Refusing")


def test_somebody_is_added_and_removed_by_keyboard(window, group, copy):
    name = group("Coming and going", size=4)
    max, lea = (open_chat(window(person), name) for person in ("max", "lea"))
    # Who comes while a group begins was there from the beginning.
    copy.shell(BEGUN_LONG_AGO % name)
    live(max)
    live(lea)
    expect(members(lea)).to_have_count(4)
    max.locator("#add-member").focus()
    max.keyboard.press("Enter")
    max.keyboard.type("elif")
    expect(max.get_by_role("option", name=re.compile("Elif"))).to_be_visible()
    max.keyboard.press("Enter")
    expect(max.locator(".group-add .chip")).to_contain_text("Elif Bakır")
    max.locator(".group-add").get_by_role("button", name="Add").press("Enter")
    for page in (max, lea):
        expect(members(page)).to_have_count(5)
        expect(page.locator("message-list")).to_contain_text("added Elif Bakır")
        expect(page.locator("#details-members")).to_contain_text("Joined today")

    max.get_by_role("button", name="More about Elif Bakır").press("Enter")
    max.keyboard.press("ArrowDown")
    max.keyboard.press("Enter")
    dialog = max.get_by_role("alertdialog")
    expect(dialog).to_contain_text("Remove Elif from the group?")
    dialog.get_by_role("button", name="Remove Elif").press("Enter")
    for page in (max, lea):
        expect(members(page)).to_have_count(4)
        expect(page.locator("message-list")).to_contain_text("removed Elif Bakır")
        expect(page.locator("#details-members")).to_contain_text("Left: Elif Bakır, today")


def test_what_cannot_be_done_says_why_and_what_works_instead(window, group):
    max = open_chat(window("max"), group("Only three", size=2))
    max.get_by_role("button", name="More about Jonas Pfeiffer").click()
    item = max.get_by_role("menuitem", name=re.compile("Remove Jonas"))
    expect(item).to_have_attribute("aria-disabled", "true")
    expect(item).to_contain_text("At least 3 members must stay")
    max.get_by_role("menuitem", name="Write to Jonas alone").click()
    expect(max.locator(".chip")).to_contain_text("Jonas Pfeiffer")

    open_chat(max, "Only three")
    max.locator("#add-member").click()
    # Luis has no iMessage.
    max.keyboard.type("luis")
    expect(max.get_by_role("option", name=re.compile("Luis"))).to_be_visible()
    max.keyboard.press("Enter")
    max.locator(".group-add").get_by_role("button", name="Add").click()
    expect(max.locator(".group-add")).to_contain_text("Luis Ortega has SMS, and this is an iMessage group")
    max.get_by_role("link", name="Start a new conversation with all of them").click()
    expect(max.locator(".chip")).to_have_count(3)


def test_nobody_loses_what_they_are_filling_in(window, group, copy):
    max = open_chat(window("max"), group("In the middle"))
    live(max)
    max.get_by_role("button", name="Rename the group").click()
    field = max.get_by_role("textbox", name="Name of the group")
    field.fill("Half a na")
    on(copy, "In the middle", "groups.leave(chat, by=handset('Kai'))")
    expect(members(max)).to_have_count(4)
    expect(field).to_have_value("Half a na")
    expect(field).to_be_focused()
    expect(max.locator(".details__sub").first).to_contain_text("Five members")
    field.press("Escape")
    expect(max.locator(".details__sub").first).to_contain_text("Four members")
    expect(max.get_by_role("button", name="Rename the group")).to_be_focused()


def test_the_picture_of_a_group_is_everywhere(window, group):
    name = group("Picture")
    max, lea = (open_chat(window(person), name) for person in ("max", "lea"))
    live(max)
    live(lea)
    file = {"name": "crew.png", "mimeType": "image/png", "buffer": PICTURE}
    max.locator("#group-icon").set_input_files(file)
    for page in (max, lea):
        for place in ("#details-who", "#head", ".chat-row[aria-current=true]"):
            expect(page.locator(f"{place} .avatar[data-shape=picture] img").first).to_be_visible()
        expect(page.locator("message-list")).to_contain_text("changed the picture of the group")


def test_a_group_that_we_left_leads_to_a_new_one(window, group):
    max = open_chat(window("max"), group("Goodbye", size=3))
    live(max)
    expect(members(max)).to_have_count(3)
    max.locator("#more-group").click()
    max.get_by_role("menuitem", name="Leave the group…").click()
    max.get_by_role("alertdialog").get_by_role("button", name="Leave the group").click()
    expect(max.locator("#foot")).to_contain_text("Rides has left this group")
    max.get_by_role("link", name="Start a new conversation with the same people").click()
    expect(max.locator(".chip")).to_have_count(3)
    expect(max.locator("#story")).to_contain_text("A group of three and the Rides line")


def test_who_reads_it_is_named_before_it_is_sent(window, group, copy):
    max = open_chat(window("max"), group("Readers"))
    live(max)
    strip = max.locator("#readers")
    expect(strip).to_contain_text("Jonas, Sela and three others will see this")
    expect(strip.get_by_role("tooltip", include_hidden=True)).to_be_hidden()
    strip.locator(".readers__who").focus()
    expect(strip.get_by_role("tooltip")).to_contain_text("Kai Watanabe, Elif Bakır")
    # On a phone of theirs somebody brings a sixth.
    on(
        copy,
        "Readers",
        "groups.add(chat, carrier.handset_of(environment, '+15035550111'), by=handset('Jonas'))",
    )
    expect(strip.get_by_text("Six people will read this")).to_be_visible()
    max.get_by_role("tab", name="Note").click()
    expect(strip).to_be_hidden()
    max.get_by_role("tab", name="Reply").click()
    max.locator(".composer__text").fill("Nine, not half past eight")
    max.keyboard.press("Control+Enter")
    expect(strip.get_by_text("Six people will read this")).to_be_hidden()
    max.reload()
    expect(strip).to_contain_text("and four others will see this")
    expect(strip.get_by_text("Six people will read this")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_details_of_a_group(window, group, axe, theme):
    name = group(f"Axe {theme}")
    for viewport in (None, PHONE):
        options = {"viewport": viewport} if viewport else {}
        max = open_chat(window("max", color_scheme=theme, reduced_motion="reduce", **options), name)
        if viewport:
            max.locator("[data-details-toggle]").first.click()
        max.get_by_role("button", name="More about Kai Watanabe").click()
        axe(max)
        max.get_by_role("menuitem", name=re.compile("Remove Kai")).click()
        axe(max)
        max.get_by_role("button", name="Keep Kai").click()
        max.get_by_role("button", name="Rename the group").click()
        axe(max)
        max.keyboard.press("Escape")
        max.locator("#add-member").click()
        max.keyboard.type("lu")
        max.get_by_role("option").first.wait_for()
        axe(max)
