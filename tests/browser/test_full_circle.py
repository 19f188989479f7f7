"""An agent of one Partyline talks with the phones of another, which is its account: every road there and back."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PATIENCE, live, open_chat
from tests.browser.phones import Handset
from tests.browser.threads import choose, message, open_menu, row, state
from tests.circle import two_partylines
from tests.inbox import files

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Two of everything run here, and each word goes through both.
LONG = 3 * PATIENCE
NORA, JONAS, KAI = "+1 503 555 0171", "+1 503 555 0172", "+1 503 555 0195"
A_LINK = """
from lines.models import User
from lines.people import sign_in_link
print("LINK", sign_in_link(User.objects.get(email="max@fairwheel.example")))
"""


@pytest.fixture(scope="module")
def circle():
    with two_partylines() as circle:
        yield circle


@pytest.fixture(scope="module", autouse=True)
def patient():
    expect.set_options(timeout=LONG)
    yield
    expect.set_options(timeout=PATIENCE)


def signed_in(chromium, url, link):
    context = chromium.new_context(base_url=url, viewport=DESKTOP)
    page = context.new_page()
    page.goto(link)
    page.get_by_role("button").last.click()
    page.wait_for_load_state()
    found = context.storage_state()
    context.close()
    return found


@pytest.fixture(scope="module")
def max(circle, chromium):
    """The cookies of who writes on the phones of B."""
    return signed_in(chromium, circle.b.url, circle.b.told(A_LINK, "LINK"))


@pytest.fixture(scope="module")
def lou(circle, chromium, max):
    """The cookies of Lou, who has connected A to its account by hand, and has heard its first event."""
    cookies = signed_in(chromium, circle.a.url, circle.make_front())
    context = chromium.new_context(base_url=circle.a.url, viewport=DESKTOP, storage_state=cookies)
    context.set_default_timeout(LONG)
    page = context.new_page()
    page.goto("/settings/account/")
    page.get_by_label("Key of the account").fill(circle.make_key())
    page.get_by_text("Another address").click()
    page.get_by_label("Where the account is asked").fill(circle.account_url)
    page.get_by_role("button", name="Check the key").click()
    page.get_by_role("button", name="Connect these lines").click()
    expect(page.get_by_text("Waiting for the first event")).to_be_visible()
    expect(page.locator("#import")).to_contain_text("all of it is here")

    phones = chromium.new_context(base_url=circle.b.url, viewport=DESKTOP, storage_state=max)
    Handset(phones.new_page(), "Nora").write("The first of all words")
    expect(page.get_by_text("its signature is right")).to_be_visible()
    phones.close()
    context.close()
    return cookies


@pytest.fixture
def window(circle, chromium, lou, max):
    """window() is one of Lou's, in A; window("phone") is one in B."""
    contexts, errors = [], []

    def open_window(where="front", **options):
        url, cookies = (circle.a.url, lou) if where == "front" else (circle.b.url, max)
        context = chromium.new_context(base_url=url, viewport=DESKTOP, storage_state=cookies, **options)
        context.set_default_timeout(LONG)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def talk(window):
    """Lou's open conversation with somebody, and the phone of that person."""

    def open_both(number, name, line=None, **options):
        page = open_chat(window(**options), number)
        live(page)
        return page, Handset(window("phone"), name, line)

    return open_both


def write(page, text):
    page.locator(".composer__text").fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_page_of_the_account(window, axe, theme):
    lou = window(color_scheme=theme, reduced_motion="reduce")
    lou.goto("/settings/account/")
    lou.get_by_text("Change the key").first.click()
    axe(lou)
    lou.get_by_role("button", name="Disconnect…").click()
    expect(lou.get_by_role("dialog", name="Disconnect Front?")).to_be_visible()
    axe(lou)
    lou.goto("/settings/account/comparisons/")
    axe(lou)


def test_words_go_both_ways_and_what_became_of_them_is_known(talk):
    lou, nora = talk(NORA, "Nora")
    nora.write("Is my bike ready?")
    expect(message(lou, "Is my bike ready?")).to_be_visible()
    write(lou, "It is, come by")
    expect(nora.bubble("It is, come by")).to_be_visible()
    expect(state(lou, "It is, come by")).to_contain_text("Delivered")
    nora.read()
    expect(state(lou, "It is, come by")).to_contain_text("Read")


def test_what_lou_reads_nora_sees_as_read(talk):
    lou, nora = talk(NORA, "Nora")
    nora.write("Do you see this?")
    expect(message(lou, "Do you see this?")).to_be_visible()
    expect(nora.bubble("Do you see this?")).to_contain_text("Read")


def test_reactions_and_answers_go_both_ways(talk):
    lou, nora = talk(NORA, "Nora")
    nora.write("Saturday at ten?")
    expect(message(lou, "Saturday at ten?")).to_be_visible()
    open_menu(lou, "Saturday at ten?").get_by_role("button", name="Like", exact=True).click()
    expect(nora.bubble("Saturday at ten?").locator(".reaction")).to_have_attribute("data-reaction", "like")

    nora.write("Or Sunday?")
    expect(message(lou, "Or Sunday?")).to_be_visible()
    open_menu(lou, "Or Sunday?").get_by_role("button", name="Question", exact=True).click()
    expect(nora.bubble("Or Sunday?").locator(".reaction")).to_have_count(1)
    open_menu(lou, "Or Sunday?").get_by_role("button", name="Question", exact=True).click()
    expect(nora.bubble("Or Sunday?").locator(".reaction")).to_have_count(0)

    choose(lou, "Saturday at ten?", "Reply")
    write(lou, "Ten is fine")
    expect(nora.bubble("Ten is fine").locator(".quote")).to_contain_text("Saturday at ten?")
    nora.react("Ten is fine", "Love")
    expect(message(lou, "Ten is fine").locator(".reaction")).to_have_attribute("data-type", "love")
    nora.reply("Ten is fine", "See you then")
    expect(message(lou, "See you then").locator(".quote")).to_contain_text("Ten is fine")


def test_photos_and_memos_go_both_ways(talk):
    lou, nora = talk(NORA, "Nora", permissions=["microphone"])
    pictures, shown = lou.locator("message-list .message img"), nora.messages.locator("img")
    before, there = pictures.count(), shown.count()
    nora.send_photo()
    expect(pictures).not_to_have_count(before)
    lou.wait_for_function(
        "[...document.querySelectorAll('message-list .message img')].at(-1).naturalWidth > 0"
    )
    there = shown.count()
    photo = {"name": "rim.png", "mimeType": "image/png", "buffer": files.picture("PNG", (60, 40))}
    lou.locator("[data-files]").set_input_files([photo])
    expect(lou.locator(".upload")).to_have_count(1)
    lou.get_by_role("button", name="Send", exact=True).click()
    expect(shown).not_to_have_count(there)

    memos, sounds = lou.locator("message-list voice-memo"), nora.messages.locator(".handset__sound")
    heard, played = memos.count(), sounds.count()
    nora.send_voice_memo()
    expect(memos).to_have_count(heard + 1)
    lou.get_by_role("button", name="Record a voice memo").press("Enter")
    expect(lou.locator("voice-recorder").get_by_role("timer")).to_have_text(re.compile("0:0[1-9]"))
    lou.keyboard.press("Space")
    lou.locator("voice-recorder").get_by_role("button", name="Send memo").press("Enter")
    expect(sounds).to_have_count(played + 2)


def test_what_was_said_is_said_otherwise_and_taken_back(talk, circle):
    lou, nora = talk(NORA, "Nora")
    write(lou, "We open at nine")
    expect(state(lou, "We open at nine")).to_contain_text(re.compile("Delivered|Read"))
    choose(lou, "We open at nine", "Edit")
    field = lou.get_by_role("form", name="Edit the message").get_by_label("Text")
    field.fill("We open at eight")
    field.press("Enter")
    expect(nora.bubble("We open at eight")).to_contain_text("Edited")
    nora.write("Eigth it is")
    nora.edit("Eigth it is", "Eight it is")
    expect(message(lou, "Eight it is")).to_contain_text("Edited")

    choose(lou, "We open at eight", "Delete")
    gone = "select count(*) from inbox_message m join inbox_part p on p.message_id = m.id where p.text = 'We open at eight' and m.deleted_at is null"
    circle.b.wait(lambda: circle.b.rows(gone)[0][0] == 0, "The account still has it", patience=45)
    # A real phone keeps it.
    expect(nora.bubble("We open at eight")).to_be_visible()


def test_who_is_writing_is_seen_on_both_sides(talk):
    lou, nora = talk(NORA, "Nora")
    nora.type("Let me thi")
    expect(lou.locator("#typing typing-mark")).to_have_count(1)
    nora.field.fill("")
    expect(lou.locator("#typing typing-mark")).to_have_count(0)
    lou.locator(".composer__text").press_sequentially("Of cour")
    expect(nora.messages.locator(".typing-dots")).to_have_count(1)


def test_a_group_is_the_same_on_both_sides(talk):
    lou, jonas = talk("Sunday Gravel Crew", "Jonas", "Sunday Gravel Crew")
    jonas.write("Who is in?")
    expect(message(lou, "Who is in?")).to_be_visible()
    write(lou, "All of us")
    expect(jonas.bubble("All of us")).to_be_visible()
    jonas.rename("Gravel at dawn")
    expect(row(lou, "Gravel at dawn")).to_be_visible()
    lou.get_by_role("button", name="Rename the group").click()
    field = lou.get_by_role("textbox", name="Name of the group")
    field.fill("Gravel at noon")
    field.press("Enter")
    expect(jonas.messages).to_contain_text("named the conversation “Gravel at noon”")

    members = lou.locator("#details-members .member:not([data-state])")
    before = members.count()
    jonas.add("Petra Novak")
    expect(members).to_have_count(before + 1)
    jonas.remove("Petra Novak")
    expect(members).to_have_count(before)


def test_what_does_not_arrive_says_why(talk, circle, window):
    """Of a phone that cannot be reached, the account’s own code and sentence."""
    lou = window()
    number = circle.b.rows("select handle from lines_handset where kind = 'unreachable' limit 1")[0][0]
    lou.goto("/inbox/all/")
    shown = f"+1 {number[2:5]} {number[5:8]} {number[8:]}"
    if row(lou, shown).count():
        open_chat(lou, shown)
    else:
        lou.goto("/chats/new/")
        lou.get_by_role("combobox", name=re.compile("To")).fill(number)
        lou.keyboard.press("Enter")
    live(lou)
    write(lou, "Can you hear us?")
    expect(state(lou, "Can you hear us?")).to_contain_text("Not delivered")
    expect(state(lou, "Can you hear us?")).to_contain_text("4001")


def test_the_webhook_gets_a_new_secret_without_a_gap(window, talk):
    lou = window()
    lou.goto("/settings/account/")
    lou.get_by_role("button", name="New secret").click()
    expect(lou.get_by_text("both count until")).to_be_visible()
    lou, nora = talk(NORA, "Nora")
    nora.write("Signed by the newer one")
    expect(message(lou, "Signed by the newer one")).to_have_count(1)
