"""axe finds nothing on any page, in both themes, at a desk and on a phone."""

import re

import pytest

from tests.browser.conftest import DESKTOP, PHONE, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FOR_EVERYBODY = ["/account/login/", "/account/login/code/", "/account/password/reset/", "/nowhere/"]
FOR_ADMINS = [
    "/inbox/mine/",
    "/inbox/all/",
    "/inbox/closed/",
    "/team/",
    "/team/everyone/unassigned/",
    "/chats/new/",
    "/lines/",
    "/settings/guard/",
    "/settings/labels/",
    "/settings/replies/",
    "/analytics/?range=30d",
    "/analytics/planner/",
    "/analytics/inbound/",
    "/settings/people/",
    "/settings/environment/",
    "/settings/environments/",
    "/settings/account/",
    "/settings/account/comparisons/",
    "/settings/retention/",
    "/settings/webhooks/",
    "/api/",
    "/api/keys/",
    "/api/requests/",
    "/api/subscriptions/",
    "/api/subscriptions/new/",
    "/api/deliveries/",
    "/api/trace/",
    "/api/signatures/",
    "/api/docs/",
    "/api/docs/phone-numbers/",
    "/sandbox/",
    "/account/email/",
    "/account/password/change/",
    "/account/2fa/",
    "/account/2fa/totp/activate/",
    "/account/2fa/webauthn/add/",
]
# What is half faded is not what anybody reads.
STILL = {"reduced_motion": "reduce"}
LOOKS = [
    pytest.param(viewport, theme, id=f"{name}-{theme}")
    for name, viewport in (("desk", DESKTOP), ("phone", PHONE))
    for theme in ("light", "dark")
]


@pytest.mark.parametrize(("viewport", "theme"), LOOKS)
def test_the_pages(window, axe, viewport, theme):
    stranger, admin = (window(name, viewport=viewport, color_scheme=theme, **STILL) for name in (None, "max"))
    for page, addresses in ((stranger, FOR_EVERYBODY), (admin, FOR_ADMINS)):
        for address in addresses:
            page.goto(address)
            axe(page)
    admin.goto("/lines/")
    address = admin.locator(".line-card").first.get_attribute("href")
    for path in (address, f"{address}guard/", f"{address}guard/same_text/?action=hold", f"{address}changes/"):
        admin.goto(path)
        axe(admin)
    for name in ("Nora Whitfield", "Sunday Gravel Crew", "Gwen Abara"):
        axe(open_chat(admin, name))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_shows_only_sometimes(window, axe, theme):
    max = window("max", color_scheme=theme, **STILL)
    open_chat(max, "Sunday Gravel Crew")
    max.locator("#head pop-over button").first.click()
    axe(max)
    max.keyboard.press("Escape")
    max.locator(".photo-grid a").first.click()
    axe(max)
    max.keyboard.press("Escape")
    max.get_by_role("button", name=re.compile("^Max")).click()
    axe(max)

    phone = window("max", viewport=PHONE, color_scheme=theme, **STILL, has_touch=True, is_mobile=True)
    phone.goto("/inbox/mine/")
    phone.get_by_role("button", name=re.compile("Max")).last.tap()
    phone.get_by_role("menuitemradio", name=re.compile("Elsewhere")).wait_for()
    axe(phone)
    open_chat(phone, "Nora Whitfield").locator("[data-details-toggle]").first.tap()
    axe(phone)
