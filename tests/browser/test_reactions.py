"""Hearts and thumbs, by mouse, keyboard and finger, on one screen and on the other."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, live, open_chat
from tests.browser.threads import hold, menu, message, open_menu, row, send
from tests.inbox import files

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def reactions(page, text):
    return message(page, text).locator(".reaction")


def put_there(ingrid, text):
    """What stands on a bubble of a phone."""
    return ingrid.bubble(text).locator(".reaction")


def react(page, text, name):
    open_menu(page, text).get_by_role("button", name=name, exact=True).click()


def test_by_mouse_and_it_is_seen_on_the_phone_and_by_colleagues(window, handset):
    ana, lea = (open_chat(window(name), "Ingrid Solheim") for name in ("ana", "lea"))
    ingrid = handset("Ingrid", "Shop")
    live(ana)
    live(lea)
    ingrid.write("Is a Brooks heavy?")
    expect(message(ana, "Is a Brooks heavy?")).to_be_visible()

    react(ana, "Is a Brooks heavy?", "Like")
    for page, who in ((ana, "You"), (lea, "Ana")):
        expect(reactions(page, "Is a Brooks heavy?")).to_have_attribute("data-type", "like")
        expect(row(page, "Ingrid")).to_contain_text(f"{who}: Reacted 👍 to “Is a Brooks heavy?”")
    expect(put_there(ingrid, "Is a Brooks heavy?")).to_have_attribute("data-reaction", "like")
    expect(reactions(lea, "Is a Brooks heavy?")).to_have_attribute(
        "title", re.compile(r"^Like: Ana \d+ \w+ \d+:\d\d$")
    )

    # Another takes its place, as there is one of ours on a part.
    react(ana, "Is a Brooks heavy?", "Question")
    expect(put_there(ingrid, "Is a Brooks heavy?")).to_have_attribute("data-reaction", "question")
    for page in (ana, lea):
        expect(reactions(page, "Is a Brooks heavy?")).to_have_count(1)
        expect(reactions(page, "Is a Brooks heavy?")).to_have_attribute("data-type", "question")

    # The one that is there is taken back by choosing it again.
    react(ana, "Is a Brooks heavy?", "Question")
    expect(put_there(ingrid, "Is a Brooks heavy?")).to_have_count(0)
    for page in (ana, lea):
        expect(reactions(page, "Is a Brooks heavy?")).to_have_count(0)
        expect(row(page, "Ingrid")).not_to_contain_text("Reacted")


def test_by_keyboard_alone(window, handset, axe):
    ana, ingrid = open_chat(window("ana"), "Ingrid Solheim"), handset("Ingrid", "Shop")
    live(ana)
    for text in ("Which glue for grips?", "Or wire?"):
        ingrid.write(text)
        expect(message(ana, text)).to_be_visible()
    ana.locator("message-list").focus()
    ana.keyboard.press("ArrowUp")
    expect(message(ana, "Or wire?")).to_be_focused()
    ana.keyboard.press("ArrowUp")
    expect(message(ana, "Which glue for grips?")).to_be_focused()
    ana.keyboard.press("+")
    expect(menu(ana).get_by_role("button", name="Love", exact=True)).to_be_focused()
    axe(ana)
    for _ in range(3):
        ana.keyboard.press("ArrowRight")
    expect(menu(ana).get_by_role("button", name="Laugh", exact=True)).to_be_focused()
    ana.keyboard.press("Enter")

    expect(menu(ana)).to_be_hidden()
    expect(put_there(ingrid, "Which glue for grips?")).to_have_attribute("data-reaction", "laugh")
    expect(reactions(ana, "Which glue for grips?")).to_have_attribute("aria-pressed", "true")
    expect(message(ana, "Which glue for grips?")).to_be_focused()


def test_any_emoji_is_found_by_its_name(window, handset, axe):
    ana, ingrid = open_chat(window("ana"), "Ingrid Solheim"), handset("Ingrid", "Shop")
    live(ana)
    ingrid.write("I rode to Astoria")
    open_menu(ana, "I rode to Astoria").get_by_role("button", name="All emoji").click()
    expect(ana.get_by_label("Find an emoji")).to_be_focused()
    axe(ana)
    ana.keyboard.type("volcano")
    ana.keyboard.press("Enter")
    expect(reactions(ana, "I rode to Astoria")).to_have_text("🌋")
    expect(put_there(ingrid, "I rode to Astoria")).to_have_text("🌋")
    expect(row(ana, "Ingrid")).to_contain_text("Reacted 🌋 to")
    # It is offered beside the six from now on.
    expect(open_menu(ana, "I rode to Astoria").get_by_role("button", name="React with 🌋")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_what_they_put_on_a_bubble_is_live_everywhere(window, handset):
    ana, lea = (open_chat(window(name), "Ingrid Solheim") for name in ("ana", "lea"))
    ingrid = handset("Ingrid", "Shop")
    live(ana)
    live(lea)
    send(ana, "We close at six today")
    for name, emoji, kind in (("Like", "👍", "like"), ("Dislike", "👎", "dislike"), ("🛠️", "🛠️", "custom")):
        ingrid.react("We close at six today", name)
        for page in (ana, lea):
            expect(reactions(page, "We close at six today")).to_have_count(1)
            expect(reactions(page, "We close at six today")).to_have_attribute("data-type", kind)
            expect(row(page, "Ingrid")).to_contain_text(f"Reacted {emoji} to “We close at six today”")
    expect(reactions(lea, "We close at six today")).to_have_attribute(
        "title", re.compile(r"🛠️: Ingrid \d+ \w+ \d+:\d\d$")
    )
    ingrid.react("We close at six today", "🛠️")
    for page in (ana, lea):
        expect(reactions(page, "We close at six today")).to_have_count(0)
        expect(row(page, "Ingrid")).to_contain_text("We close at six today")
        expect(row(page, "Ingrid")).not_to_contain_text("Reacted")


def test_the_corner_joins_them_and_takes_ours_back(window, handset):
    ana, ingrid = open_chat(window("ana"), "Ingrid Solheim"), handset("Ingrid", "Shop")
    live(ana)
    send(ana, "Free coffee on Friday")
    ingrid.react("Free coffee on Friday", "Love")
    corner = reactions(ana, "Free coffee on Friday")
    expect(corner).to_have_attribute("aria-pressed", "false")
    corner.click()
    expect(corner).to_have_text("2")
    expect(corner).to_have_attribute("aria-pressed", "true")
    expect(corner).to_have_attribute("title", re.compile("^Love: .*Ingrid .*Ana|^Love: .*Ana .*Ingrid"))
    expect(put_there(ingrid, "Free coffee on Friday")).to_have_text("2")

    corner.click()
    expect(corner).to_have_attribute("aria-pressed", "false")
    expect(put_there(ingrid, "Free coffee on Friday")).to_have_text("")
    expect(put_there(ingrid, "Free coffee on Friday")).to_have_count(1)


def test_stickers_are_shown(window, handset):
    ana, ingrid = open_chat(window("ana"), "Ingrid Solheim"), handset("Ingrid", "Shop")
    live(ana)
    send(ana, "The saddle is yours")
    ingrid.stick("The saddle is yours")
    sticker = reactions(ana, "The saddle is yours").locator("img")
    expect(sticker).to_be_visible()
    expect(sticker).not_to_have_js_property("naturalWidth", 0)
    expect(reactions(ana, "The saddle is yours")).to_have_attribute("title", re.compile("^Sticker: Ingrid"))


def test_each_part_has_its_own(window, handset):
    ana, ingrid = open_chat(window("ana"), "Ingrid Solheim"), handset("Ingrid", "Shop")
    live(ana)
    ingrid.field.fill("The old one, beside it")
    ingrid.send_file({"name": "Old saddle.png", "mimeType": "image/png", "buffer": files.picture("PNG")})
    expect(message(ana, "The old one, beside it").locator("img")).to_be_visible()
    message(ana, "The old one, beside it").locator(".message__bubble", has=ana.locator("img")).hover()
    photo = message(ana, "The old one, beside it").locator(".message__bubble", has=ana.locator("img"))
    photo.get_by_role("button", name="React, reply and more").click()
    menu(ana).get_by_role("button", name="Love", exact=True).click()
    expect(photo.locator(".reaction")).to_have_attribute("data-type", "love")
    react(ana, "The old one, beside it", "Like")
    words = message(ana, "The old one, beside it").locator(".message__bubble", has_text="The old one")
    expect(words.locator(".reaction")).to_have_attribute("data-type", "like")
    expect(photo.locator(".reaction")).to_have_attribute("data-type", "love")

    expect(put_there(ingrid, "The old one, beside it")).to_have_attribute("data-reaction", "like")
    theirs = ingrid.messages.locator(".message", has=ingrid.page.locator("img[alt='Old saddle.png']"))
    expect(theirs.locator(".reaction")).to_have_attribute("data-reaction", "love")


def test_one_that_the_carrier_refuses_is_taken_back_with_a_line(window, handset):
    ana, ingrid = open_chat(window("ana"), "Ingrid Solheim"), handset("Ingrid", "Shop")
    live(ana)
    ingrid.write("Do you take cards?")
    expect(message(ana, "Do you take cards?")).to_be_visible()
    ingrid.switch_fault("Next reactions and edits refused")
    react(ana, "Do you take cards?", "Emphasise")
    expect(ana.locator(".event-line", has_text="The reaction of You did not arrive")).to_be_visible()
    expect(reactions(ana, "Do you take cards?")).to_have_count(0)
    expect(row(ana, "Ingrid")).not_to_contain_text("Reacted")


def test_on_a_phone_a_long_press_opens_it(window, handset, axe):
    ingrid = handset("Ingrid", "Shop")
    ingrid.write("Held by a finger")
    page = window("ana", viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto("/inbox/all/")
    row(page, "Ingrid").tap()
    live(page)
    box = hold(page, "Held by a finger").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    axe(page)
    menu(page).get_by_role("button", name="Love", exact=True).tap()
    expect(reactions(page, "Held by a finger")).to_have_attribute("data-type", "love")
    expect(put_there(ingrid, "Held by a finger")).to_have_attribute("data-reaction", "love")
