"""A file leaves a conversation by the menu of its bubble, in every window."""

import io

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import live, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHAT = "Nora"


def picture(name, colour):
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(stream, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": stream.getvalue()}


def menu_of(page, message):
    """Opened by keyboard."""
    message.focus()
    page.keyboard.press("Enter")
    return page.get_by_role("menu", name="Message")


def test_of_two_photos_one_is_deleted_for_everybody(window, axe):
    max, lea = open_chat(window("max"), CHAT), open_chat(window("lea"), CHAT)
    for page in (max, lea):
        live(page)
    max.locator("input[data-files]").set_input_files([picture("one.png", "red"), picture("two.png", "blue")])
    expect(max.locator("message-composer")).to_contain_text("two.png")
    max.get_by_role("textbox", name="Message Nora").fill("Which of the two?")
    max.locator(".composer__send").click()
    photos = [page.locator(".message", has_text="Which of the two?") for page in (max, lea)]
    for message in photos:
        expect(message.locator("[data-photo]")).to_have_count(2)

    menu = menu_of(max, photos[0])
    expect(menu.get_by_role("menuitem", name="Delete one.png")).to_be_visible()
    axe(max, "message-menu")
    menu.get_by_role("menuitem", name="Delete two.png").focus()
    max.keyboard.press("Enter")
    expect(max.locator("#toasts")).to_contain_text("File deleted")
    for message in photos:
        expect(message.locator("[data-photo]")).to_have_count(1)
        expect(message).to_contain_text("deleted two.png")

    menu_of(max, photos[0])
    expect(menu.get_by_role("menuitem", name="Delete the file")).to_have_count(1)
    max.keyboard.press("Escape")
    expect(photos[0]).to_be_focused()
