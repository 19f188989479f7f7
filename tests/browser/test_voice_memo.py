"""A memo: recorded in the browser, heard before it leaves, and alone when it arrives."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import live, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def recorder(page):
    return page.locator("voice-recorder")


def memos(page):
    return page.locator("message-list voice-memo")


def sounds(phone):
    return phone.messages.locator(".handset__sound")


def record(page):
    page.get_by_role("button", name="Record a voice memo").press("Enter")
    expect(recorder(page).get_by_role("button", name="Stop")).to_be_focused()
    expect(recorder(page).get_by_role("timer")).to_have_text(re.compile("0:0[1-9]"))


def open_with_microphone(window, name):
    page = open_chat(window("max", permissions=["microphone"]), name)
    live(page)
    return page


def test_it_is_recorded_heard_and_sent_alone(window, handset, axe):
    max, lucia = open_with_microphone(window, "Lucía Romero"), handset("Luc")
    before, there = memos(max).count(), sounds(lucia).count()
    text = max.locator(".composer__text")
    text.fill("Words that wait")
    record(max)
    axe(max)
    expect(text).to_be_hidden()
    max.keyboard.press("Space")

    play = recorder(max).get_by_role("button", name="Play what was recorded")
    expect(play).to_be_focused()
    axe(max)
    sound = recorder(max).locator("audio")
    play.press("Enter")
    max.wait_for_function("(audio) => audio.currentTime > 0.1", arg=sound.element_handle())
    recorder(max).get_by_role("button", name="Record again").press("Enter")
    expect(recorder(max).get_by_role("button", name="Stop")).to_be_focused()
    expect(recorder(max).get_by_role("timer")).to_have_text("0:02")
    max.keyboard.press("Space")
    recorder(max).get_by_role("button", name="Send memo").press("Enter")

    expect(recorder(max)).to_be_hidden()
    expect(memos(max)).to_have_count(before + 1)
    expect(memos(max).last).to_contain_text(re.compile("0:0[1-9]"))
    expect(sounds(lucia)).to_have_count(there + 1)
    expect(lucia.messages).not_to_contain_text("Words that wait")
    # What was being written is still there, and leaves by itself.
    expect(text).to_have_value("Words that wait")
    expect(text).to_be_focused()
    text.press("Control+Enter")
    expect(lucia.messages).to_contain_text("Words that wait")
    expect(sounds(lucia)).to_have_count(there + 1)


def test_what_is_too_short_is_not_kept(window):
    max = open_with_microphone(window, "Lucía Romero")
    max.get_by_role("button", name="Record a voice memo").press("Enter")
    expect(recorder(max).get_by_role("button", name="Stop")).to_be_focused()
    max.keyboard.press("Space")
    expect(recorder(max)).to_be_hidden()
    expect(max.locator("message-composer")).to_contain_text("That recording is too short. Record it again.")


def test_escape_throws_it_away(window):
    max = open_with_microphone(window, "Lucía Romero")
    before = memos(max).count()
    sent = []
    max.on("request", lambda request: request.method == "POST" and sent.append(request.url))
    record(max)
    max.keyboard.press("Escape")
    expect(recorder(max)).to_be_hidden()
    expect(max.locator(".composer__text")).to_be_focused()
    record(max)
    max.keyboard.press("Space")
    expect(recorder(max).get_by_role("button", name="Send memo")).to_be_visible()
    max.keyboard.press("Escape")
    expect(recorder(max)).to_be_hidden()
    expect(memos(max)).to_have_count(before)
    assert not [url for url in sent if re.search("uploads|reply", url)]


def test_what_does_not_arrive_is_kept_and_tried_again(window, handset):
    max, lucia = open_with_microphone(window, "Lucía Romero"), handset("Luc")
    before, there = memos(max).count(), sounds(lucia).count()
    max.route("**/uploads/", lambda route: route.abort())
    record(max)
    max.keyboard.press("Space")
    recorder(max).get_by_role("button", name="Send memo").click()
    expect(max.locator(".composer__warning").first).to_contain_text("It is kept; try it again, then send it.")
    max.unroute("**/uploads/")
    max.get_by_role("button", name=re.compile("^Try Voice memo.* again$")).click()
    expect(max.locator(".upload")).to_contain_text("Ready")
    max.get_by_role("button", name="Send", exact=True).click()
    expect(memos(max)).to_have_count(before + 1)
    expect(sounds(lucia)).to_have_count(there + 1)


def test_without_a_microphone_it_says_so(window):
    max = open_chat(window("max"), "Lucía Romero")
    max.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotFoundError')) }"
    )
    max.get_by_role("button", name="Record a voice memo").press("Enter")
    expect(max.locator(".composer__warning").first).to_have_text(
        "The microphone cannot be used. Allow it in the browser, then try again."
    )
    expect(recorder(max)).to_be_hidden()
    expect(max.locator(".composer__text")).to_be_visible()
