"""Coming in by what one has: a passkey, a code from an app."""

import re
import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

from tests.browser.conftest import live

pytestmark = pytest.mark.browser

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def with_authenticator(page):
    """A machine whose owner has just put their finger on it."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return page


def sign_out(page):
    page.goto("/inbox/mine/")
    page.locator(".toolbar__menu > button").last.click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url(re.compile("/account/login/"))


UNA = """
from lines.models import Environment
from lines.people import create_person
una = create_person("una@fairwheel.example", "Una Codes", "correct horse battery")
Environment.objects.get(slug="fairwheel").admit(una, role="agent")
"""


def code_of(secret):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def test_a_code_from_an_app_is_asked_for_after_the_password(window, copy):
    copy.shell(UNA)
    page = window()

    def sign_in():
        page.get_by_label("Email").fill("una@fairwheel.example")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Sign in", exact=True).click()

    page.goto("/account/login/")
    sign_in()
    page.wait_for_url(re.compile("/inbox/"))
    page.goto("/account/2fa/totp/activate/")
    if "reauthenticate" in page.url:
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Confirm").click()
    secret = page.get_by_label("Authenticator secret").input_value()
    page.get_by_label("Authenticator code").fill(code_of(secret))
    page.get_by_role("button", name="Activate").click()
    page.wait_for_url(lambda url: "/activate/" not in url)
    sign_out(page)

    sign_in()
    page.wait_for_url(re.compile("/2fa/"))
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name=re.compile("Sign In", re.I)).click()
    page.get_by_text(re.compile("Incorrect code")).wait_for()
    time.sleep(30 - time.time() % 30)  # a code is good once
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name=re.compile("Sign In", re.I)).click()
    page.wait_for_url(re.compile("/inbox/"))


def test_a_passkey_is_added_and_lets_its_owner_in(window, copy):
    page = with_authenticator(window())
    page.goto(copy.fresh_link("tom"))
    page.get_by_role("button").last.click()
    page.wait_for_url(re.compile("/inbox/"))
    page.goto("/account/2fa/webauthn/add/")
    page.get_by_label(re.compile("Passwordless")).check()
    page.get_by_role("button", name="Add").click()
    page.wait_for_url(lambda url: "/webauthn/add/" not in url)
    sign_out(page)

    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile("/inbox/mine/"))
    live(page)
