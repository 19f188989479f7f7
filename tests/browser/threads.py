"""What somebody does in an open conversation of the inbox."""

import re

from playwright.sync_api import expect

# A finger that stays where it is; Playwright only taps.
HOLD = """
(bubble) => {
  const { x, y, width, height } = bubble.getBoundingClientRect()
  const where = { bubbles: true, pointerType: "touch", clientX: x + Math.min(40, width / 2), clientY: y + height / 2 }
  bubble.dispatchEvent(new PointerEvent("pointerdown", where))
}
"""


def message(page, text):
    """The message that says this, once the server has it."""
    return page.locator(".message[id^=message-]", has_text=text)


def state(page, text):
    return message(page, text).locator(".message__state")


def send(page, text, *, arrives=True):
    """Press Send below these words; and wait until their phone has them, which makes the message one to act on."""
    page.locator(".composer__text").fill(text)
    page.get_by_role("button", name="Send", exact=True).click()
    if arrives:
        expect(state(page, text)).to_contain_text(re.compile("Delivered|Read"))


def row(page, name):
    return page.locator(".chat-row", has_text=name).first


def menu(page):
    return page.locator("message-menu")


def open_menu(page, text):
    """By the right mouse button."""
    message(page, text).get_by_text(text).click(button="right")
    expect(menu(page)).to_be_visible()
    return menu(page)


def choose(page, text, name):
    """An item of a message's menu, without what stands beside its name."""
    open_menu(page, text).locator("[role=menuitem]", has_text=name).click()


def hold(page, text):
    """As on a touch screen: the menu by a long press."""
    message(page, text).locator(".message__bubble").last.evaluate(HOLD)
    expect(menu(page)).to_be_visible()
    return menu(page)


def fits(page):
    """Whether nothing sticks out to the right of the screen."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")
