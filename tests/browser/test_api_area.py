"""The API area: an admin makes a key, copies it, rotates and revokes it."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def numbers(copy, key):
    """What the API says to a program that has this key."""
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.get(f"{copy.url}/v3/phone_numbers", headers=headers).status_code


def copied(page):
    return page.evaluate("navigator.clipboard.readText()")


def test_a_key_from_the_first_to_the_last_day(copy, window, axe):
    max = window("max", permissions=["clipboard-read", "clipboard-write"])
    max.goto("/inbox/mine/")
    max.get_by_role("link", name="API").click()
    expect(max.get_by_role("link", name="Overview")).to_have_attribute("aria-current", "page")
    axe(max)
    max.get_by_role("button", name="New key").click()
    dialog = max.locator("#make")
    dialog.get_by_role("button", name="Make key").click()
    expect(dialog.get_by_role("alert")).to_contain_text("A key needs a name")
    axe(max, "#make")
    dialog.get_by_label("Name").fill("Shop robot")
    dialog.get_by_role("button", name="Make key").click()
    expect(dialog).to_contain_text("shown only this once")
    dialog.get_by_role("button", name="Copy", exact=True).click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    key = copied(max)
    assert re.fullmatch(r"pl_test_[\w-]{43}", key)
    assert numbers(copy, key) == 200
    dialog.get_by_role("tab", name="Python").click()
    expect(dialog.get_by_role("tabpanel")).to_contain_text("LinqAPIV3")
    dialog.get_by_role("button", name="Copy the request").click()
    expect(dialog.get_by_role("button", name="Copy the request")).to_contain_text("Copied")
    assert f'api_key="{key}"' in copied(max)
    axe(max, "#make")

    dialog.get_by_role("link", name="Done").click()
    expect(max.get_by_role("group", name="Keys that work")).to_contain_text(f"{key[:12]}…{key[-4:]}")
    axe(max)
    max.get_by_role("button", name="Rotate Shop robot").click()
    dialog = max.locator("dialog[open]")
    expect(dialog.get_by_label("The old key")).to_have_value("24")
    dialog.get_by_role("button", name="Rotate key").click()
    expect(dialog).to_contain_text("The old one works until")
    following = dialog.locator("#new-key").inner_text()
    assert numbers(copy, following) == numbers(copy, key) == 200
    dialog.get_by_role("link", name="Done").click()

    # Tomorrow at this time, and not only at this time.
    expect(max.get_by_text("Rotated, until")).to_contain_text(re.compile(r"until\s[A-Z][a-z]{2} \d"))
    for one in (key, following):
        max.get_by_role("button", name=f"Revoke Shop robot, {one[:12]}…{one[-4:]}").click()
        max.locator("dialog[open]").get_by_role("button", name="Revoke key").click()
        expect(max.locator("#toasts")).to_contain_text("Shop robot opens nothing any more")
        assert numbers(copy, one) == 401
    expect(max.get_by_role("group", name="Keys that have ended")).to_contain_text("Revoked")
    expect(max.locator("#keys")).to_contain_text("No program has a key yet")


def test_a_key_is_renamed_on_a_phone(window, axe):
    max = window("max", viewport=PHONE)
    max.goto("/api/keys/")
    max.get_by_role("button", name="New key").click()
    max.locator("#key-name").fill("Old name")
    max.locator("#make").get_by_role("button", name="Make key").click()
    max.locator("#make").get_by_role("link", name="Done").click()
    max.get_by_role("button", name="Rename Old name").click()
    dialog = max.locator("dialog[open]")
    dialog.get_by_label("Name").fill("New name")
    dialog.get_by_role("button", name="Rename").click()
    expect(max.get_by_role("group", name="Keys that work")).to_contain_text("New name")
    axe(max)


def test_the_lab_finds_the_byte_by_keyboard_alone(window, axe):
    max = window("max")
    max.goto("/api/signatures/")
    axe(max)
    max.get_by_label("Headers").focus()
    for header in (
        "webhook-id: 0192f3a0-0000-7000-8000-000000000001",
        "webhook-timestamp: 1790000000",
        "webhook-signature: v1,Cs9vWbAwx/BtE96gOM8mVcF3a77PjHu8acXqrorv6i0=",
    ):
        max.keyboard.insert_text(header)
        max.keyboard.press("Enter")
    max.keyboard.press("Tab")
    max.keyboard.insert_text(
        '{"event_type":"message.received","event_id":"0192f3a0-0000-7000-8000-000000000001"}'
    )
    max.keyboard.press("Enter")
    max.keyboard.press("Tab")
    max.keyboard.press("Tab")
    max.keyboard.press("Enter")
    findings = max.locator("#findings")
    expect(findings).to_contain_text("paste its secret")
    max.get_by_label("Secret", exact=True).focus()
    max.keyboard.insert_text("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    max.keyboard.press("Enter")
    expect(findings).to_contain_text("The body has a line break at its end")
    expect(findings.locator("mark", has_text="0a")).to_be_visible()
    axe(max)
    max.get_by_label("Raw body").focus()
    max.keyboard.press("Control+End")
    max.keyboard.press("Backspace")
    max.get_by_role("button", name="Check").press("Enter")
    expect(findings).to_contain_text("The signature is right")
    axe(max)


def test_what_the_carrier_sent_is_checked(window, handset):
    ana = open_chat(window("ana"), "Nora Whitfield")
    handset("Nora", "Shop").write("Is it ready?")
    expect(ana.locator("message-list")).to_contain_text("Is it ready?")
    max = window("max", viewport=PHONE)
    max.goto("/api/signatures/")
    max.get_by_role("link", name="Take the last one received").click()
    expect(max.get_by_label("Headers")).to_have_value(re.compile("webhook-signature: v1,"))
    max.get_by_role("button", name="Check").click()
    expect(max.locator("#findings")).to_contain_text("The signature is right")


def test_how_long_things_are_kept_is_said_by_keyboard(window, axe):
    max = window("max", viewport=PHONE)
    max.goto("/settings/people/")
    max.get_by_role("link", name="Retention").click()
    events, days = max.get_by_label("Keep events", exact=True), max.get_by_label("Days to keep events")
    events.select_option("For ever")
    expect(days).to_be_hidden()
    events.focus()
    max.keyboard.type("A num")
    expect(days).to_be_visible()
    max.keyboard.press("Tab")
    expect(days).to_be_focused()
    max.keyboard.type("9999")
    max.keyboard.press("Enter")
    expect(max.get_by_role("alert")).to_have_text("Keep events for 1 to 3650 days, or for ever.")
    expect(days).to_be_focused()
    axe(max)

    max.keyboard.press("ControlOrMeta+a")
    max.keyboard.type("400")
    max.keyboard.press("Enter")
    expect(max.locator("#toasts")).to_contain_text("Saved for Fairwheel")
    expect(max.locator("#settings")).to_contain_text("by Max")
    max.reload()
    expect(max.get_by_label("Days to keep events")).to_have_value("400")
    expect(max.get_by_label("Keep received webhooks", exact=True)).to_have_value("for-ever")
    axe(max)
