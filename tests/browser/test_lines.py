"""Looking after lines, by mouse and keyboard: rules and what they do, warming up, and a line that is flagged."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def line_page(window):
    def open_page(who, name, **options):
        page = window(who, **options)
        page.goto("/lines/")
        page.locator(".line-card", has=page.get_by_role("heading", name=name, exact=True)).click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
        return page

    return open_page


def rule(page, title):
    return page.locator("li.rule", has=page.get_by_text(title, exact=True))


def composer(page):
    return page.locator(".composer__text")


def test_a_rule_is_set_and_told_before_and_after_sending(line_page, window, axe):
    max = line_page("max", "Shop")
    row = rule(max, "Same person, fast")
    row.get_by_role("link", name="Hold").click()
    expect(row.get_by_role("status")).to_contain_text("In the last week it would have held")
    axe(max)
    row.get_by_label("Messages a minute").fill("1")
    row.get_by_role("button", name="Save").click()
    expect(max.locator("#toasts")).to_contain_text("saved for Shop")
    expect(row).to_contain_text("1 a minute")

    ana = open_chat(window("ana"), "Ingrid Solheim")
    composer(ana).fill("It is ready")
    ana.get_by_role("button", name="Send", exact=True).click()
    expect(ana.locator(".message", has_text="It is ready")).to_be_visible()
    composer(ana).fill("And washed")
    warning = ana.locator(".composer__warning[data-guard=hold]")
    expect(warning).to_contain_text("1 message to one person within a minute is the limit")
    axe(ana)
    ana.get_by_role("button", name="Send", exact=True).click()
    expect(ana.locator(".message", has_text="And washed")).to_contain_text("because 1 message to one person")

    row.get_by_role("link", name="Hold").click()
    row.get_by_role("button", name="As on all lines").click()
    expect(row).to_contain_text("30 a minute")
    # What it held leaves by itself.
    expect(ana.locator(".message", has_text="And washed")).not_to_contain_text("because", timeout=30_000)


def test_a_message_is_tried_without_being_sent(line_page):
    max = line_page("max", "Workshop")
    max.get_by_label("To", exact=True).fill("+1 503 555 0999")
    max.locator("#try-text").fill("Look at https://fairwheel.example/sale")
    max.get_by_role("button", name="Try it").press("Enter")
    status = max.locator("#try [role=status]")
    expect(status).to_contain_text("They have never written to this line")
    expect(status).to_contain_text("A link in a first message")
    max.get_by_label("To", exact=True).fill("nobody")
    max.get_by_role("button", name="Try it").press("Enter")
    expect(max.locator("#try").get_by_role("alert")).to_be_visible()


def test_a_line_is_warmed_by_a_plan(line_page, axe):
    max = line_page("max", "Rides")
    plan = max.get_by_label(re.compile("A plan"))
    plan.fill("20 much")
    max.get_by_role("button", name="Warm it up").click()
    expect(max.locator("#ramp").get_by_role("alert")).to_be_visible()
    plan.fill("25 50 100 400 1500")
    max.get_by_role("button", name="Warm it up").click()
    expect(max.locator("#ramp")).to_contain_text("day 1 of 5")
    expect(max.locator("#ramp")).to_contain_text("of 25 are used")
    axe(max)
    max.on("dialog", lambda dialog: dialog.accept())
    max.get_by_role("button", name="End it now").click()
    expect(max.locator("#ramp")).to_contain_text("This line is not warming up")


def test_a_lead_looks_and_changes_nothing(line_page):
    lea = line_page("lea", "Workshop")
    expect(lea.get_by_role("heading", name="Risk of being flagged")).to_be_visible()
    for name in ("Pause sending", "Save the line", "Warm it up", "Try it"):
        expect(lea.get_by_role("button", name=name)).to_have_count(0)
    expect(rule(lea, "Volume").get_by_role("link")).to_have_count(0)


def test_a_flagged_line_has_its_drill(window, axe):
    max = window("max", reduced_motion="reduce")
    max.goto("/sandbox/")
    max.get_by_text("Our lines").click()
    max.get_by_role("button", name="Flag Rentals").click()
    expect(max.locator("#toasts")).to_contain_text("The carrier tells that Rentals is flagged")
    max.goto("/lines/")
    notice = max.locator(".notice", has_text="Rentals is flagged")
    for _ in range(30):
        if notice.count():
            break
        max.wait_for_timeout(500)
        max.reload()
    notice.get_by_role("link", name="What to do").click()
    expect(max.get_by_role("heading", name="Rentals is flagged")).to_be_visible()
    for theme in ("light", "dark"):
        for viewport in (DESKTOP, PHONE):
            max.emulate_media(color_scheme=theme)
            max.set_viewport_size(viewport)
            axe(max)
    max.set_viewport_size(DESKTOP)

    boxes = max.get_by_role("checkbox", name=re.compile("^Move "))
    for box in boxes.all():
        if box.is_enabled():
            box.uncheck()
    max.get_by_role("button", name="Move what is ticked").click()
    expect(max.get_by_role("alert")).to_contain_text("Choose at least one conversation")
    first = next(box for box in boxes.all() if box.is_enabled())
    name = first.get_attribute("aria-label").removeprefix("Move ")
    first.press("Space")
    max.get_by_label("They will see a new number").fill("Hi {first_name}, Max here, from our other number.")
    expect(max.locator("#first-words-preview")).to_contain_text(f"Hi {name.split()[0]}, Max here, from our")
    max.get_by_role("button", name="Move what is ticked").press("Enter")
    expect(max.locator("#toasts")).to_contain_text("1 conversation moved")
    expect(max.get_by_role("checkbox", name=f"Move {name}", exact=True)).to_have_count(0)

    max.goto("/inbox/closed/")
    max.locator(".chat-row", has_text=name).first.click()
    max.locator("message-list").get_by_text("moved the conversation to").get_by_role("link").click()
    expect(max.locator(".message", has_text="from our other number")).to_be_visible()
    expect(max.locator("message-list")).to_contain_text("Goes on from")

    max.goto("/lines/")
    max.get_by_role("link", name="What to do").click()
    max.get_by_role("button", name="I have asked").click()
    expect(max.locator(".checklist")).to_contain_text("Max Adler has asked")
    max.get_by_role("button", name="It works again").click()
    max.get_by_role("dialog").get_by_role("button", name="It works again").click()
    expect(max.locator("#toasts")).to_contain_text("Rentals sends again")
