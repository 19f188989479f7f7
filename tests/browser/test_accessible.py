"""axe finds nothing, in both themes, at a desk and on a phone."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, open_chat

pytestmark = pytest.mark.browser

PAGES = {
    "max": ["/inbox/mine/", "/inbox/closed/", "/chats/new/", "/sandbox/", "/settings/people/", "/settings/webhooks/",
            "/account/email/", "/account/2fa/"],
    None: ["/account/login/", "/account/password/reset/", "/account/login/code/"],
}  # fmt: skip


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(window, axe, scheme, viewport):
    for person, paths in PAGES.items():
        page = window(person, viewport=viewport, color_scheme=scheme)
        for path in paths:
            page.goto(path)
            expect(page.locator("h1").first).to_be_attached()
            axe(page)
    page = window("ana", viewport=viewport, color_scheme=scheme)
    for name in ("Sunday Gravel Crew", "Gwen Abara", "Samuel Reyes"):
        open_chat(page, name)
        axe(page)
