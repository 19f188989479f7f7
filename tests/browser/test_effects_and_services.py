"""Confetti and what else iMessage can do, and what a message goes by; said before sending where it cannot be had."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, live, open_chat
from tests.browser.threads import message, send

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Each stage on which an effect of the whole screen plays, and what stands there: the list is drawn anew meanwhile.
WATCH_STAGES = """
() => {
  window.stages = []
  const look = (added) => added.matches?.(".effect-stage") && stages.push(added.parentElement.id || added.parentElement.className)
  new MutationObserver((records) => records.forEach((record) => record.addedNodes.forEach(look))).observe(document.body, {
    childList: true,
    subtree: true,
  })
}
"""
# Of the bubble itself.
WATCH_BUBBLES = """
() => {
  window.moved = []
  const animate = Element.prototype.animate
  Element.prototype.animate = function (...how) {
    if (this.matches(".message__bubble")) moved.push(this.innerText.trim())
    return animate.apply(this, how)
  }
}
"""

# As the carrier says of whom it was asked.
HAS_NEITHER = """
from inbox.models import Handle
Handle.objects.filter(value="+15035550189").update(has_imessage=False, has_rcs=False)
"""


def played(page, count):
    """Exactly so many stages since WATCH_STAGES; the last is over."""
    page.wait_for_function("(count) => stages.length >= count", arg=count)
    expect(page.locator(".effect-stage")).to_have_count(0)
    assert len(page.evaluate("stages")) == count


def chip(page):
    return page.locator(".composer__effect")


def label(page, text):
    return message(page, text).locator(".message__effect")


def open_effects(page):
    page.get_by_role("button", name="Send with an effect").press("Enter")
    return page.get_by_role("dialog", name="Effects")


def choose_effect(page, name):
    picker = open_effects(page)
    picker.get_by_role("radio", name=name).press("Enter")
    page.keyboard.press("Escape")
    expect(picker).to_be_hidden()
    expect(chip(page)).to_contain_text(name)


def test_an_effect_is_chosen_by_keyboard_and_seen_before_it_is_sent(window, handset, axe):
    ana, lea = (open_chat(window(name), "Nora Whitfield") for name in ("ana", "lea"))
    nora = handset("Nora", "Shop")
    live(ana)
    live(lea)
    for page in (ana, lea):
        page.evaluate(WATCH_STAGES)
    ana.locator(".composer__text").fill("Your bike is done!")
    picker = open_effects(ana)
    expect(picker.get_by_role("radio", name="Slam")).to_be_focused()
    axe(ana)
    ana.keyboard.press("ArrowDown")
    expect(picker.get_by_role("radio", name="Confetti")).to_be_focused()
    ana.keyboard.press("Enter")
    expect(picker.get_by_role("radio", name="Confetti")).to_have_attribute("aria-checked", "true")
    expect(picker.locator(".effect-picker__preview > p")).to_have_text("Your bike is done!")
    ana.wait_for_function("() => stages.includes('effect-picker__preview')")
    ana.keyboard.press("Escape")
    expect(picker).to_be_hidden()
    expect(ana.locator(".composer__text")).to_be_focused()
    expect(chip(ana)).to_contain_text("Confetti")

    ana.get_by_role("button", name="Remove the effect").press("Enter")
    expect(chip(ana)).to_be_hidden()
    choose_effect(ana, "Fireworks")
    ana.locator(".composer__text").press("Control+Enter")
    expect(label(ana, "Your bike is done!")).to_contain_text("Sent with Fireworks")
    expect(chip(ana)).to_be_hidden()
    expect(label(lea, "Your bike is done!")).to_contain_text("Sent with Fireworks")
    expect(nora.bubble("Your bike is done!")).to_contain_text("Sent with Fireworks")
    played(lea, 1)
    send(ana, "The next one is plain")
    expect(label(ana, "The next one is plain")).to_have_count(0)


def test_theirs_is_played_once_where_it_arrives_and_then_when_asked_for(window, handset):
    ana, nora = open_chat(window("ana"), "Nora Whitfield"), handset("Nora", "Shop")
    live(ana)
    ana.evaluate(WATCH_STAGES)
    nora.send_effect("We did a hundred miles", "Balloons")
    expect(label(ana, "We did a hundred miles")).to_contain_text("Sent with Balloons")
    played(ana, 1)
    # What is told of it later does not play it again.
    nora.react("We did a hundred miles", "Love")
    expect(message(ana, "We did a hundred miles").locator(".reaction")).to_have_count(1)
    played(ana, 1)
    label(ana, "We did a hundred miles").get_by_role("button").click()
    played(ana, 2)

    ana.evaluate(WATCH_BUBBLES)
    nora.send_effect("WITH HEADWIND", "Slam")
    ana.wait_for_function("() => moved.includes('WITH HEADWIND')")
    assert len(ana.evaluate("moved")) == 1

    ana.reload()
    live(ana)
    ana.evaluate(WATCH_STAGES)
    expect(label(ana, "We did a hundred miles")).to_be_visible()
    ana.wait_for_timeout(1000)
    assert ana.evaluate("stages") == []


def test_invisible_ink_is_there_until_it_is_pointed_at(window, handset):
    ana, nora = open_chat(window("ana"), "Nora Whitfield"), handset("Nora", "Shop")
    live(ana)
    nora.send_effect("The code is 4711", "Invisible Ink")
    bubble = message(ana, "The code is 4711").locator(".message__bubble")
    expect(bubble).to_have_attribute("data-ink", "")
    bubble.hover()
    expect(bubble).not_to_have_attribute("data-ink", "")
    expect(label(ana, "The code is 4711")).to_contain_text("Sent with Invisible ink")


def test_who_wants_less_motion_gets_the_words_alone(window, handset):
    lea = open_chat(window("lea", reduced_motion="reduce"), "Nora Whitfield")
    nora = handset("Nora", "Shop")
    live(lea)
    lea.evaluate(WATCH_STAGES)
    nora.send_effect("Calm please", "Lasers")
    expect(label(lea, "Calm please")).to_contain_text("Sent with Lasers")
    label(lea, "Calm please").get_by_role("button").click()
    lea.wait_for_timeout(1000)
    assert lea.evaluate("stages") == []


def test_what_their_service_lacks_is_said_before_sending(window, handset):
    ana, dana = open_chat(window("ana"), "Dana Kessler"), handset("Dana")
    live(ana)
    ana.locator(".composer__text").fill("See you on Saturday, all of you")
    choose_effect(ana, "Love")
    warning = ana.locator("[data-about=effect]")
    expect(warning).to_contain_text("Without love: this goes by RCS, and effects are seen on iMessage only")
    ana.get_by_role("button", name="Send", exact=True).click()
    expect(ana.locator(".composer__warning").first).to_have_text(
        "Without love: effects are seen on iMessage only, and this goes by RCS."
    )
    expect(ana.locator(".composer__text")).to_have_value("See you on Saturday, all of you")
    expect(chip(ana)).to_contain_text("Love")
    expect(ana.locator(".message", has_text="See you on Saturday, all of you")).to_have_count(0)

    warning.get_by_role("button", name="Remove").click()
    expect(warning).to_be_hidden()
    ana.get_by_role("button", name="Send", exact=True).click()
    expect(dana.messages).to_contain_text("See you on Saturday, all of you")
    expect(message(ana, "See you on Saturday, all of you")).to_have_count(1)
    expect(label(ana, "See you on Saturday, all of you")).to_have_count(0)


def services(page):
    page.get_by_role("button", name=re.compile("^Service:")).click()
    return page.get_by_role("menu", name="Service")


def colour(page, text):
    return (
        message(page, text)
        .locator(".message__bubble")
        .evaluate("(bubble) => getComputedStyle(bubble).backgroundColor")
    )


def test_the_service_is_chosen_and_shown_at_each_change(window, handset, axe):
    ana, petra = open_chat(window("ana"), "Petra Novak"), handset("Petra")
    live(ana)
    send(ana, "By iMessage as always")
    menu = services(ana)
    automatic, only, rcs, sms = menu.get_by_role("menuitemradio").all()
    expect(automatic).to_have_attribute("aria-checked", "true")
    expect(automatic).to_contain_text("iMessage, then RCS, then SMS. Petra gets iMessage now.")
    expect(only).to_contain_text("where iMessage cannot be had it fails, and says so")
    expect(rcs).to_contain_text("Never iMessage, so no effects")
    expect(sms).to_contain_text("No effects, no receipts")
    axe(ana)
    sms.click()
    button = ana.get_by_role("button", name=re.compile("^Service:"))
    expect(button).to_contain_text("SMS")
    expect(ana.locator(".composer__send")).to_have_attribute("data-kind", "sms")
    send(ana, "As a text this time", arrives=False)
    expect(petra.messages).to_contain_text("As a text this time")

    text = message(ana, "As a text this time")
    expect(text).to_have_attribute("data-service", "sms")
    expect(text.locator("xpath=preceding-sibling::li[1]")).to_have_text("SMS after iMessage")
    assert colour(ana, "As a text this time") != colour(ana, "By iMessage as always")
    expect(text.locator(".message__state")).to_contain_text("SMS")


def test_a_service_that_they_do_not_have_cannot_be_chosen(window, copy):
    copy.shell(HAS_NEITHER)
    ana = open_chat(window("ana"), "Wanda Kowalski", view="closed")
    menu = services(ana)
    refused = menu.get_by_role("menuitemradio", name=re.compile("iMessage only"))
    expect(refused).to_have_attribute("aria-disabled", "true")
    expect(refused).to_contain_text("Wanda does not have it.")
    refused.click(force=True)
    expect(ana.get_by_role("button", name=re.compile("^Service:"))).not_to_contain_text("iMessage")


def test_the_picker_and_the_services_fit_a_phone(window):
    page = window("ana", viewport=PHONE, has_touch=True, is_mobile=True)
    open_chat(page, "Petra Novak")
    page.get_by_role("button", name="Send with an effect").tap()
    picker = page.get_by_role("dialog", name="Effects")
    for surface in (picker, None):
        surface = surface or services(page)
        box = surface.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        assert box["y"] >= 0
        page.keyboard.press("Escape")
