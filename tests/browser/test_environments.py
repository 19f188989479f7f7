"""Environments: a wall is made, worn, locked and taken down, with a mouse and with keys."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def make(page, name, carrier):
    page.get_by_role("button", name="New environment").click()
    page.locator("#environment-name").fill(name)
    page.get_by_label(carrier, exact=False).check()
    page.get_by_role("button", name="Make environment").click()
    expect(page.locator("#toasts")).to_contain_text(f"{name} is made, and you are its admin")


def row(page, name):
    return page.locator(".setting", has=page.get_by_text(name, exact=True))


def test_one_is_made_worn_and_deleted(window, axe):
    max = window("max")
    max.goto("/settings/environments/")
    max.get_by_role("button", name="New environment").click()
    max.get_by_role("button", name="Make environment").click()
    expect(max.locator("#make").get_by_role("alert")).to_contain_text("An environment needs a name")
    axe(max)
    max.keyboard.press("Escape")
    make(max, "Rehearsal", "Sandbox")
    axe(max)
    row(max, "Rehearsal").get_by_role("radio", name="Moss").click()
    expect(row(max, "Rehearsal").get_by_role("radio", name="Moss")).to_have_attribute("aria-checked", "true")

    max.get_by_role("button", name="Go to Rehearsal").click()
    max.wait_for_url(re.compile("/inbox/"))
    expect(max.locator("body")).to_have_attribute("data-colour", "moss")
    expect(max.get_by_role("button", name="Environment: Rehearsal")).to_be_visible()
    max.goto("/settings/environments/")
    max.get_by_role("button", name="Go to Fairwheel").click()
    max.wait_for_url(re.compile("/inbox/"))

    max.goto("/settings/environments/")
    max.get_by_role("button", name="Delete Rehearsal").click()
    dialog = max.locator("dialog[open]")
    axe(max, "dialog[open]")
    dialog.get_by_label("Type Rehearsal").fill("rehearsal")
    dialog.get_by_role("button", name="Delete environment").click()
    expect(max.locator("#toasts")).to_contain_text("Type Rehearsal as it is written")
    max.get_by_role("button", name="Delete Rehearsal").click()
    max.locator("dialog[open]").get_by_label("Type Rehearsal").fill("Rehearsal")
    max.keyboard.press("Enter")
    expect(max.locator("#toasts")).to_contain_text("Rehearsal is deleted")
    expect(max.locator("#settings")).not_to_contain_text("Rehearsal")


def test_production_is_locked_on_a_phone(window, axe):
    max = window("max", viewport=PHONE)
    max.goto("/settings/environments/")
    make(max, "Real", "Linq")
    # The next thing is its account.
    max.wait_for_url("**/settings/account/")
    max.goto("/settings/environments/")
    max.get_by_role("button", name="Make production: Real").click()
    max.locator("dialog[open]").get_by_label("Type Real").fill("Real")
    max.locator("dialog[open]").get_by_role("button", name="Make production").click()
    expect(max.locator("#toasts")).to_contain_text("Real is production now")
    expect(max.locator("#settings")).to_contain_text("locked: a change needs its name typed")
    axe(max)
    max.goto("/inbox/mine/")
    expect(max.locator("body")).to_have_attribute("data-environment", "production")
    expect(max.get_by_role("link", name="Handsets")).to_have_count(0)
    max.goto("/sandbox/")
    expect(max.get_by_text("Nobody picks up here").first).to_be_visible()
