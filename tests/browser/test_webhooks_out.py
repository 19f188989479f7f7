"""An admin subscribes a program, sees it fail, mends it, and sends again what failed; every step on a screen."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class Program(ThreadingHTTPServer):
    """Answers every webhook with `status`, and keeps what it was told."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Receiving)
        self.status, self.told = 200, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://localhost:{self.server_port}/hooks"


class Receiving(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append((dict(self.headers), body.decode()))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *words):
        pass


@pytest.fixture
def program():
    program = Program()
    yield program
    program.shutdown()
    program.server_close()


def subscribe(page, program, *events):
    page.goto("/api/subscriptions/")
    page.get_by_role("link", name="Add").click()
    page.get_by_label("Sent to").fill(program.url)
    page.get_by_label("Every event").uncheck()
    for event in events:
        page.locator(
            "summary", has_text={"message": "Messages", "reaction": "Reactions"}[event.split(".")[0]]
        ).click()
        page.get_by_label(event, exact=True).check()
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_text("shown only this once")).to_be_visible()
    return page.locator("#secret").inner_text()


def test_what_failed_is_sent_again_and_its_signature_is_right(window, program, axe):
    max = window("max")
    max.goto("/api/subscriptions/new/")
    max.get_by_label("Sent to").fill("nonsense")
    max.get_by_role("button", name="Subscribe").click()
    expect(max.get_by_role("alert")).to_contain_text("That is no web address")
    axe(max)
    secret = subscribe(max, program, "message.received")
    axe(max)
    program.status = 410
    max.get_by_role("button", name="Send a test").click()

    delivery = max.locator("#delivery")
    expect(delivery).to_contain_text("Gave up")
    expect(delivery.locator(".attempts")).to_contain_text("410")
    axe(max)
    program.status = 200
    delivery.get_by_role("button", name="Resend").click()
    expect(max.locator("#delivery")).to_contain_text("Delivered")
    expect(max.locator("#delivery-rows")).to_contain_text("Delivered")
    headers, body = program.told[-1]
    assert json.loads(body)["event_type"] == "message.received"

    max.goto("/api/signatures/")
    max.get_by_label("Headers").fill("\n".join(f"{name}: {value}" for name, value in headers.items()))
    max.get_by_label("Raw body").fill(body)
    max.get_by_label("Secret", exact=True).fill(secret)
    max.get_by_role("button", name="Check").click()
    expect(max.get_by_text("The signature is right")).to_have_count(2)


def test_what_happens_is_in_the_log_by_itself_and_is_traced(window, program, handset, axe):
    max = window("max")
    subscribe(max, program, "message.received")
    max.goto("/api/deliveries/?state=delivered")
    ana = open_chat(window("ana"), "Nora Whitfield")
    handset("Nora", "Shop").write("Is it ready by noon?")
    expect(ana.locator("message-list")).to_contain_text("Is it ready by noon?")

    row = max.locator("#delivery-rows").get_by_role("link", name="message.received").first
    row.click()
    max.locator("#delivery .facts").get_by_role("link").click()
    max.wait_for_url(re.compile("/api/trace/"))
    expect(max.get_by_role("heading", name=re.compile("One message from Nora"))).to_be_visible()
    timeline = max.get_by_role("list", name="Timeline")
    for words in ("Message received", "Received message.received", "to http://localhost"):
        expect(timeline).to_contain_text(words)
    axe(max)
    max.locator("summary", has_text="support bundle").click()
    expect(max.locator("#bundle")).not_to_contain_text("noon")


def test_a_subscription_is_paused_and_deleted_on_a_phone(window, program, axe):
    max = window("max", viewport=PHONE)
    first = subscribe(max, program, "reaction.added")
    max.get_by_role("button", name="Rotate the secret").click()
    max.get_by_role("button", name="Rotate secret", exact=True).click()
    expect(max.locator("#secret")).not_to_have_text(first)
    max.get_by_role("button", name="Pause").click()
    expect(max.get_by_role("button", name="Begin again")).to_be_visible()
    axe(max)
    max.get_by_role("button", name="Begin again").click()
    max.get_by_role("button", name="Delete", exact=True).click()
    max.get_by_role("button", name="Delete subscription").click()
    expect(max.locator("#toasts")).to_contain_text("is deleted")
    expect(max.get_by_role("main")).not_to_contain_text(f"localhost:{program.server_port}/hooks Healthy")
