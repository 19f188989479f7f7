"""An agent and a customer, each before a window of their own."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Cable, live, open_chat

pytestmark = pytest.mark.browser


def reply(page, text):
    page.locator(".composer__text").fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def test_what_a_customer_writes_appears_here_and_the_answer_there(window, handset):
    ana, nora = open_chat(window("ana"), "Nora Whitfield"), handset("Nora", "Shop")
    ben = open_chat(window("ben"), "Nora Whitfield")
    live(ana)
    live(ben)

    nora.write("Is the child seat still there?")
    for colleague in (ana, ben):
        expect(colleague.locator("message-list")).to_contain_text("Is the child seat still there?")
        row = colleague.locator(".chat-row").first
        expect(row).to_contain_text("Is the child seat still there?")

    reply(ana, "It is, I keep it for you")
    bubble = ana.locator(".message", has_text="It is, I keep it for you")
    expect(bubble).to_have_count(1)
    expect(nora.messages).to_contain_text("It is, I keep it for you")
    expect(bubble.locator(".message__state")).to_contain_text("Delivered")
    expect(ben.locator(".message", has_text="It is, I keep it for you")).to_have_count(1)

    nora.read()
    expect(bubble.locator(".message__state")).to_contain_text("Read")
    expect(bubble).to_have_count(1)


# Notes each state that a message of ours shows, also one that lasts for a moment.
WATCH_STATES = """
(text) => {
  const states = (window.states = [])
  const look = () => {
    const bubble = [...document.querySelectorAll(".message")].find((one) => one.innerText.includes(text))
    if (bubble && states.at(-1) !== bubble.dataset.state) states.push(bubble.dataset.state)
  }
  new MutationObserver(look).observe(document.querySelector("message-list"), { childList: true, subtree: true })
}
"""
STATES = ["queued", "sending", "accepted", "sent", "delivered", "read"]


def test_the_state_of_a_reply_only_goes_forward(window, handset):
    ana, ingrid = open_chat(window("ana"), "Ingrid Solheim"), handset("Ingrid")
    live(ana)
    for number in range(5):
        text = f"Number {number} is on its way"
        ana.evaluate(WATCH_STATES, text)
        reply(ana, text)
        state = ana.locator(".message", has_text=text).locator(".message__state")
        expect(state).to_contain_text("Delivered")
        expect(ingrid.messages).to_contain_text(text)
        ingrid.read()
        expect(state).to_contain_text("Read")
        seen = ana.evaluate("states")
        assert seen == sorted(seen, key=STATES.index)
        assert {"queued", "delivered", "read"} <= set(seen)


# What is told of one message, each with how far the log was, and what the page shows after each.
TELLINGS = [
    ("sending", 90_005),
    ("queued", 90_005),
    ("accepted", 90_006),
    ("queued", 90_004),
    ("sent", 90_007),
]
SHOWN = ["sending", "sending", "accepted", "accepted", "sent"]
TELL = """
(tellings) => {
  const list = document.querySelector("message-list")
  const { id } = list.querySelector(".message[data-direction=out]")
  return tellings.map(([state, sequence]) => {
    const told = document.getElementById(id).cloneNode(true)
    told.dataset.state = state
    list.put(told.outerHTML, sequence)
    return document.getElementById(id).dataset.state
  })
}
"""


def test_of_two_tellings_the_page_keeps_the_one_that_knew_more(window):
    ana = open_chat(window("ana"), "Nora Whitfield")
    assert ana.evaluate(TELL, TELLINGS) == SHOWN


# More than is told again one by one.
MANY = 230
A_FLOOD = """
from lines.models import Environment
environment = Environment.objects.get(slug="fairwheel")
line = environment.lines.get(name="Shop")
for number in range(%d):
    environment.record("inbox.line_resumed", line=line)
"""


def test_a_page_that_missed_more_than_can_be_told_again_stays_where_it_was(window, handset, copy):
    ana = window("ana")
    cable = Cable(ana)
    open_chat(ana, "Harriet Boone")
    live(ana)
    harriet, address = handset("Harriet"), ana.url
    cable.cut()
    ana.locator(".composer__text").fill("Half a sentence")
    harriet.write("You were gone for so long")
    expect(ana.locator(".connection")).to_be_visible()
    copy.shell(A_FLOOD % MANY)
    cable.mend()
    expect(ana.locator("message-list")).to_contain_text("You were gone for so long")
    expect(ana.locator(".message", has_text="You were gone for so long")).to_have_count(1)
    expect(ana.locator(".chat-row").first).to_contain_text("Harriet Boone")
    expect(ana.locator(".composer__text")).to_have_value("Half a sentence")
    assert ana.url == address


def test_a_socket_that_was_away_for_half_a_minute_misses_nothing(window, handset):
    ana = window("ana")
    cable = Cable(ana)
    open_chat(ana, "Ingrid Solheim")
    live(ana)
    ingrid = handset("Ingrid")
    ingrid.write("Before the cut")
    expect(ana.locator("message-list")).to_contain_text("Before the cut")

    cable.cut()
    ana.locator(".composer__text").fill("Half a sentence")
    ingrid.write("While you were away, one")
    ingrid.write("While you were away, two")
    expect(ana.locator(".connection")).to_be_visible()
    time.sleep(30)
    expect(ana.locator("message-list")).not_to_contain_text("While you were away, one")

    cable.mend()
    expect(ana.locator("message-list")).to_contain_text("While you were away, two")
    for words in ("Before the cut", "While you were away, one", "While you were away, two"):
        expect(ana.locator(".message", has_text=words)).to_have_count(1)
    expect(ana.locator(".connection")).to_be_hidden()
    expect(ana.locator(".composer__text")).to_have_value("Half a sentence")


def test_who_has_no_access_gets_nothing_of_it(window, handset, copy):
    ana = open_chat(window("ana"), "Nora Whitfield")
    address = ana.url
    tom = window("tom")
    frames = []
    tom.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame))))
    tom.goto("/inbox/all/")
    live(tom)
    before = tom.locator("#tabs").inner_text()
    expect(tom.locator(".chat-row", has_text="Nora Whitfield")).to_have_count(0)

    nora = handset("Nora", "Shop")
    nora.write("Nothing for Tom")
    expect(open_chat(window("ana"), "Nora Whitfield").locator("message-list")).to_contain_text(
        "Nothing for Tom"
    )
    tom.wait_for_timeout(2500)
    assert not any("Nothing for Tom" in frame for frame in frames)
    expect(tom.locator(".chat-row", has_text="Nora Whitfield")).to_have_count(0)
    assert tom.locator("#tabs").inner_text() == before

    chat = address.rstrip("/").rsplit("/", 1)[1]
    photo = window("ana")
    open_chat(photo, "Sunday Gravel Crew")
    media = photo.locator(".photo-grid img").first.get_attribute("src")
    for stranger in (tom, window("olga")):
        for path in (f"/inbox/all/{chat}/", f"/chats/{chat}/messages/", f"/chats/{chat}/row/", media):
            assert stranger.request.get(copy.url + path).status == 404
    assert window().request.get(copy.url + media, max_redirects=0).status == 302


def test_losing_a_line_empties_the_open_page(window):
    ben = open_chat(window("ben"), "Nora Whitfield")
    live(ben)
    admin = window("max")
    admin.goto("/settings/people/")
    admin.get_by_role("button", name="Shut Ben Okafor out of Shop").click()
    expect(ben.locator(".chat-row", has_text="Nora Whitfield")).to_have_count(0, timeout=10_000)
    expect(ben.locator("message-list")).to_have_count(0)


def test_who_opted_out_is_not_written_to_and_the_page_says_so(window, handset):
    ana = open_chat(window("ana"), "Fiona Castell")
    live(ana)
    fiona = handset("Fiona")
    fiona.write("STOP")
    expect(ana.locator(".guard-bar")).to_contain_text("opted out")
    expect(ana.get_by_role("tab", name="Reply")).to_have_count(0)
    expect(ana.get_by_role("tab", name="Note")).to_be_visible()

    fiona.write("Sorry, one more thing")
    expect(ana.get_by_role("tab", name="Reply")).to_be_visible()
    expect(ana.locator("message-list")).to_contain_text("Sorry, one more thing")


def test_a_draft_survives_a_reload_and_another_browser(window):
    ana = open_chat(window("ana"), "Petra Novak")
    live(ana)
    ana.locator(".composer__text").press_sequentially("Your bike is")
    expect(ana.locator(".composer__hint")).to_contain_text("Draft saved")
    ana.reload()
    expect(ana.locator(".composer__text")).to_have_value("Your bike is")
    elsewhere = open_chat(window("ana"), "Petra Novak")
    expect(elsewhere.locator(".composer__text")).to_have_value("Your bike is")
    elsewhere.locator(".composer__text").fill("")
    elsewhere.wait_for_timeout(1200)


def test_pressing_send_twice_sends_once(window, handset):
    ana = open_chat(window("ana"), "Dana Kessler")
    live(ana)
    ana.locator(".composer__text").fill("Only once, please")
    ana.get_by_role("button", name="Send", exact=True).dblclick()
    expect(ana.locator(".message", has_text="Only once, please").locator(".message__state")).to_contain_text(
        "Delivered"
    )
    expect(ana.locator(".message", has_text="Only once, please")).to_have_count(1)
    dana = handset("Dana")
    expect(dana.page.locator("#screen-messages li", has_text="Only once, please")).to_have_count(1)


def test_a_photo_from_a_phone_is_shown_and_a_file_of_ours_arrives(window, handset, tmp_path):
    from PIL import Image

    Image.new("RGB", (320, 200), "teal").save(tmp_path / "teal.png")
    (tmp_path / "offer.txt").write_text("Two tyres")
    ana = open_chat(window("ana"), "Lucía Romero")
    live(ana)
    lucia = handset("Luc")
    pictures = ana.locator(".message img")
    before = pictures.count()
    lucia.page.locator("input[name=photo]").set_input_files(tmp_path / "teal.png")
    lucia.page.get_by_role("button", name="Send", exact=True).click()
    expect(pictures).to_have_count(before + 1)
    picture = pictures.last
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 320

    ana.locator("input[data-files]").set_input_files(tmp_path / "offer.txt")
    expect(ana.locator(".upload").filter(has_text="offer.txt")).to_be_visible()
    reply(ana, "Here is the offer")
    expect(ana.locator(".message", has_text="offer.txt").last).to_be_visible()
    expect(lucia.messages).to_contain_text("offer.txt")


def test_close_assign_and_undo_are_seen_by_everybody(window):
    ana, lea = open_chat(window("ana"), "Imani Clarke"), open_chat(window("lea"), "Imani Clarke")
    live(ana)
    live(lea)
    ana.get_by_role("button", name=re.compile("Close")).click()
    expect(lea.get_by_role("button", name=re.compile("Reopen"))).to_be_visible()
    ana.get_by_role("button", name="Undo").click()
    expect(lea.get_by_role("button", name=re.compile("Close"))).to_be_visible()


def test_a_new_conversation_begins_and_the_same_people_lead_to_it(window):
    ana = window("ana")
    for text in ("Hello from Fairwheel", "And hello again"):
        ana.goto("/chats/new/")
        to = ana.get_by_label(re.compile("^To"))
        to.fill("+1 503 555 0142")
        to.press("Enter")
        ana.locator("textarea").fill(text)
        ana.get_by_role("button", name="Send", exact=True).click()
        expect(ana.locator("message-list")).to_contain_text(text)
    expect(ana.locator("message-list")).to_contain_text("Hello from Fairwheel")
    expect(ana.locator(".message", has_text="And hello again").locator(".message__state")).to_contain_text(
        "Delivered"
    )


def test_on_a_phone_the_list_the_conversation_and_the_details_are_screens(window):
    ana = window("ana", viewport=PHONE, has_touch=True, is_mobile=True)
    ana.goto("/inbox/all/")
    expect(ana.locator(".thread")).to_be_hidden()
    ana.locator(".chat-row", has_text="Dana Kessler").tap()
    expect(ana.locator(".thread")).to_be_visible()
    expect(ana.locator("chat-list")).to_be_hidden()
    ana.go_back()
    expect(ana.locator("chat-list")).to_be_visible()
    assert ana.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_a_phone_the_environment_is_changed_from_the_own_menu(window):
    max = window("max", viewport=PHONE, has_touch=True, is_mobile=True)
    for name, has_chats in (("Elsewhere", False), ("Fairwheel", True)):
        max.goto("/inbox/all/")
        max.get_by_role("button", name=re.compile("Max")).last.tap()
        max.get_by_role("menuitemradio", name=re.compile(name)).last.tap()
        max.wait_for_url(re.compile("/inbox/mine/"))
        max.goto("/inbox/all/")
        assert (max.locator(".chat-row").count() > 0) == has_chats


def test_signing_out_ends_it(window):
    lea = window("lea")
    lea.goto("/inbox/all/")
    lea.get_by_role("button", name=re.compile("Lea")).click()
    lea.get_by_role("menuitem", name="Sign out").click()
    lea.goto("/inbox/all/")
    expect(lea).to_have_url(re.compile("/account/login/"))
