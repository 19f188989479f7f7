"""The whole conversation with a thumb: nothing is missing there, and nothing sticks out."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, live, open_chat
from tests.browser.threads import fits, hold, menu, message, row
from tests.inbox import files

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def thumb(window):
    """The conversation of that name, on the phone of a colleague who is on the road."""

    def open_it(name, person="max"):
        page = window(person, viewport=PHONE, has_touch=True, is_mobile=True, permissions=["microphone"])
        page.goto("/inbox/all/")
        row(page, name).tap()
        expect(page.locator("#conversation h1")).to_contain_text(name)
        live(page)
        assert fits(page)
        return page

    return open_it


def field(page):
    return page.locator(".composer__text")


def press_send(page):
    page.get_by_role("button", name=re.compile("^(Send|Add note)$")).tap()


def within(page, surface):
    """Whether all of it is on the screen."""
    box = surface.bounding_box()
    wide = box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
    return wide and box["y"] >= 0 and box["y"] + box["height"] <= PHONE["height"]


def test_it_is_read_and_answered(thumb, handset, axe):
    page, nora = thumb("Nora Whitfield"), handset("Nora", "Shop")
    nora.write("Which tyre, then? " + "Averyverylongwordwithoutanyspace" * 8)
    nora.write("The short question")
    expect(message(page, "The short question")).to_be_visible()
    assert fits(page)
    opened = hold(page, "The short question")
    assert within(page, opened)
    axe(page)
    opened.get_by_role("menuitem", name=re.compile("^Reply")).tap()
    expect(page.locator(".composer__quote")).to_contain_text("The short question")
    field(page).fill("The short answer")
    press_send(page)
    expect(nora.bubble("The short answer").locator(".quote")).to_contain_text("The short question")

    message(page, "The short answer").locator(".quote").tap()
    expect(page.locator("#found")).to_contain_text("Thread · 1 reply")
    assert fits(page)
    page.locator("#found [data-latest]").tap()
    expect(message(page, "Averyverylong")).to_be_visible()
    page.get_by_role("link", name="Back to the list").tap()
    expect(row(page, "Nora Whitfield")).to_contain_text("The short answer")
    assert fits(page)


def test_reactions_edits_and_deletions_by_long_press(thumb, handset):
    page, nora = thumb("Nora Whitfield"), handset("Nora", "Shop")
    field(page).fill("Sent with one thumb")
    press_send(page)
    expect(message(page, "Sent with one thumb").locator(".message__state")).to_contain_text("Delivered")
    nora.react("Sent with one thumb", "Laugh")
    expect(message(page, "Sent with one thumb").locator(".reaction")).to_be_visible()
    hold(page, "Sent with one thumb").get_by_role("menuitem", name=re.compile("^Edit")).tap()
    page.get_by_role("form", name="Edit the message").get_by_label("Text").fill("Sent with two thumbs")
    page.get_by_role("button", name="Save", exact=True).tap()
    expect(nora.messages).to_contain_text("Sent with two thumbs")
    message(page, "Sent with two thumbs").get_by_role("button", name="Edited").tap()
    history = page.get_by_role("dialog", name="Edit history")
    assert within(page, history)
    assert fits(page)
    page.keyboard.press("Escape")
    hold(page, "Sent with two thumbs").get_by_role("menuitem", name=re.compile("^Delete here")).tap()
    expect(page.locator(".tombstone").last).to_contain_text("You deleted a message")
    page.get_by_role("button", name="Undo").tap()
    expect(message(page, "Sent with two thumbs")).to_be_visible()


def test_an_effect(thumb, handset, axe):
    page, nora = thumb("Nora Whitfield"), handset("Nora", "Shop")
    field(page).fill("It is ready!")
    page.get_by_role("button", name="Send with an effect").tap()
    picker = page.get_by_role("dialog", name="Effects")
    assert within(page, picker)
    assert fits(page)
    axe(page)
    picker.get_by_role("radio", name="Confetti").tap()
    picker.get_by_role("button", name="Done").tap()
    expect(page.locator(".composer__effect")).to_contain_text("Confetti")
    press_send(page)
    expect(nora.bubble("It is ready!")).to_contain_text("Sent with Confetti")


def test_a_voice_memo(thumb, handset, axe):
    page, nora = thumb("Nora Whitfield"), handset("Nora", "Shop")
    before = nora.messages.locator(".handset__sound").count()
    page.get_by_role("button", name="Record a voice memo").tap()
    expect(page.get_by_role("timer")).to_have_text(re.compile("0:0[1-9]"))
    assert fits(page)
    page.get_by_role("button", name="Stop").tap()
    expect(page.get_by_role("button", name="Send memo")).to_be_visible()
    assert fits(page)
    axe(page)
    page.get_by_role("button", name="Send memo").tap()
    expect(nora.messages.locator(".handset__sound")).to_have_count(before + 1)


def test_photos_from_its_camera_and_files(thumb, handset, axe):
    page, nora = thumb("Nora Whitfield"), handset("Nora", "Shop")
    camera = page.locator("[data-camera]")
    expect(camera).to_have_attribute("capture", "environment")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Take a photo").tap()
    chooser.value.set_files(
        {"name": "IMG_1.png", "mimeType": "image/png", "buffer": files.picture("PNG", (900, 600))}
    )
    page.get_by_role("button", name="Attach files").tap()
    opened = page.get_by_role("menu", name="Attach")
    assert within(page, opened)
    axe(page)
    with page.expect_file_chooser() as chooser:
        opened.get_by_role("menuitem", name=re.compile("Files from this device")).tap()
    name = "A file with a rather long name for such a small screen.txt"
    chooser.value.set_files({"name": name, "mimeType": "text/plain", "buffer": b"Two tyres"})
    expect(page.locator(".upload", has_text="Ready")).to_have_count(2)
    assert fits(page)
    field(page).fill("From the road")
    press_send(page)
    sent = message(page, "From the road")
    expect(sent.locator("img")).to_be_visible()
    expect(sent.locator(".file-card")).to_contain_text(name)
    expect(nora.messages).to_contain_text("From the road")
    assert fits(page)


def test_a_note(thumb, handset, axe):
    page, nora = thumb("Nora Whitfield"), handset("Nora", "Shop")
    page.locator("[data-set-mode=note]").tap()
    field(page).fill("Ring twice, the dog is deaf")
    axe(page)
    press_send(page)
    expect(page.locator(".note", has_text="Ring twice")).to_be_visible()
    assert fits(page)
    expect(nora.messages).not_to_contain_text("Ring twice")
    page.locator("[data-set-mode=reply]").tap()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_in_it_is_accessible(window, axe, viewport, theme):
    """With what the tests before this have put there, and what opens over it."""
    page = window("max", viewport=viewport, color_scheme=theme)
    for name in ("Imani Clarke", "Sunday Gravel Crew"):
        open_chat(page, name)
        live(page)
        axe(page)
        page.locator("message-list").focus()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        expect(menu(page)).to_be_visible()
        axe(page)
        page.keyboard.press("Escape")
        expect(menu(page)).to_be_hidden()
        for button, opened in (
            ("Attach files", page.get_by_role("menu", name="Attach")),
            ("Emoji", page.get_by_role("dialog", name="Emoji")),
            ("Send with an effect", page.get_by_role("dialog", name="Effects")),
            (re.compile("^Service:"), page.get_by_role("menu", name="Service")),
        ):
            page.get_by_role("button", name=button, exact=True).press("Enter")
            expect(opened).to_be_visible()
            axe(page)
            page.keyboard.press("Escape")
            expect(opened).to_be_hidden()
        assert fits(page)
