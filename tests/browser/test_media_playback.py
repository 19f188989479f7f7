"""What was said and photographed, played and looked at."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, live, open_chat
from tests.inbox import files

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PLAYS = (
    "(memo) => { const sound = memo.querySelector('audio'); return !sound.paused && sound.currentTime > 0.2 }"
)
AT = "(memo) => memo.querySelector('audio').currentTime"
# Something is told of the message with the voice memo, and its bubble is drawn again.
TELL = """
from inbox.models import Part
part = Part.objects.get(attachment__filename="How it clicks.m4a")
part.message.environment.record("inbox.attachment_previewed", message=part.message)
"""
HEARD = """
() => document.addEventListener("message:reply", ({ detail }) => { window.answered = detail })
"""


def wait_until(memo, condition):
    memo.page.wait_for_function(condition, arg=memo.element_handle())


def test_a_voice_memo_is_played_and_goes_on_when_its_bubble_is_drawn_again(window, copy, axe):
    ana = open_chat(window("ana"), "Nora Whitfield")
    live(ana)
    memo = ana.locator("voice-memo")
    play, place = memo.get_by_role("button", name=re.compile("voice memo")), memo.get_by_role("slider")
    expect(play).to_have_accessible_name("Play voice memo, 0:08")
    expect(place).to_have_attribute("aria-valuetext", "0:00 of 0:08")
    axe(ana)

    place.focus()
    place.press("End")
    expect(place).to_have_attribute("aria-valuetext", "0:08 of 0:08")
    place.press("Home")
    place.press("ArrowRight")
    expect(place).to_have_attribute("aria-valuetext", "0:01 of 0:08")
    place.press("Home")
    speed = memo.get_by_role("button", name="1× speed")
    play.focus()
    play.press("Enter")
    wait_until(memo, PLAYS)
    expect(play).to_have_accessible_name("Pause voice memo, 0:08")
    assert speed.inner_text() == "1×"
    speed.click()
    expect(memo.get_by_role("button", name="1.5× speed")).to_be_visible()

    old = memo.element_handle()
    copy.shell(TELL)
    ana.wait_for_function("(old) => !old.isConnected", arg=old)
    wait_until(memo, PLAYS)
    assert memo.evaluate("(memo) => memo.querySelector('audio').playbackRate") == 1.5
    expect(memo.get_by_role("button", name="Pause voice memo, 0:08")).to_be_visible()
    expect(memo.locator("rect.is-played").first).to_be_attached()

    memo.get_by_role("button", name="Pause voice memo, 0:08").click()
    expect(memo).to_have_attribute("data-state", "paused")
    box = place.bounding_box()
    ana.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    assert memo.evaluate(AT) == pytest.approx(6, abs=0.4)


def test_without_scripts_a_voice_memo_is_a_link_to_the_sound(window, copy):
    ana = window("ana", java_script_enabled=False)
    ana.goto("/inbox/all/")
    ana.goto(ana.locator(".chat-row", has_text="Nora Whitfield").first.get_attribute("href"))
    link = ana.get_by_role("link", name="Play voice memo, 0:08")
    answer = ana.request.get(copy.url + link.get_attribute("href"))
    assert (answer.status, answer.headers["content-type"]) == (200, "audio/mp4")


def test_photos_are_looked_at_by_keyboard(window, axe):
    ana = open_chat(window("ana"), "Sunday Gravel Crew")
    ana.evaluate(HEARD)
    photos = ana.locator("message-list [data-photo]")
    expect(photos).to_have_count(2)
    photos.first.focus()
    photos.first.press("Enter")
    viewer = ana.get_by_role("dialog", name="Photo 1 of 2")
    expect(viewer.locator(".viewer__bar p")).to_contain_text(re.compile(r"^Jonas Pfeiffer · .*\d:\d\d"))
    axe(ana)

    ana.keyboard.press("ArrowRight")
    viewer = ana.get_by_role("dialog", name="Photo 2 of 2")
    picture = viewer.get_by_role("img", name=re.compile("Germantown Road.heic"))
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 960
    expect(viewer.get_by_role("link", name="Download")).to_have_attribute(
        "href", re.compile(r"/Germantown%20Road\.heic$")
    )
    width = picture.bounding_box()["width"]
    ana.keyboard.press("+")
    assert picture.bounding_box()["width"] == pytest.approx(2 * width, rel=0.01)
    viewer.get_by_role("button", name="Zoom out").press("Enter")
    assert picture.bounding_box()["width"] == pytest.approx(width, rel=0.01)
    ana.keyboard.press("ArrowLeft")
    ana.get_by_role("dialog", name="Photo 1 of 2").get_by_role("button", name="Photo 2 of 2").click()

    ana.get_by_role("dialog", name="Photo 2 of 2").get_by_role("button", name="Reply to this photo").click()
    message = ana.locator(".message", has=ana.locator("img[alt*=Germantown]")).get_attribute("id")
    assert ana.evaluate("window.answered") == {"message": message.removeprefix("message-"), "part": 0}
    expect(ana.get_by_role("dialog")).to_have_count(0)

    photos.first.press("Enter")
    expect(ana.get_by_role("dialog", name="Photo 1 of 2")).to_be_visible()
    ana.keyboard.press("Escape")
    expect(ana.get_by_role("dialog")).to_have_count(0)


def test_a_film_of_the_demo_plays_and_a_contact_is_downloaded(window):
    ana = open_chat(window("ana", viewport=PHONE), "Sunday Gravel Crew")
    film = ana.locator("video.message__video")
    film.evaluate("(film) => { film.muted = true; return film.play() }")
    ana.wait_for_function("(film) => film.currentTime > 0.2", arg=film.element_handle())
    with ana.expect_download() as download:
        ana.get_by_role("link", name=re.compile("Amara Diallo")).click()
    assert download.value.suggested_filename == "Amara Diallo.vcf"
    assert ana.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_what_a_phone_recorded_is_made_playable_while_one_looks(window, handset, tmp_path):
    (tmp_path / "Audio Message.caf").write_bytes(files.sound("caf", "pcm_s16le"))
    (tmp_path / "IMG_0001.HEIC").write_bytes(files.picture("HEIF", (400, 300)))
    ana = open_chat(window("ana"), "Imani Clarke")
    live(ana)
    imani = handset("Imani")
    for name in ("Audio Message.caf", "IMG_0001.HEIC"):
        imani.page.locator("input[name=photo]").set_input_files(tmp_path / name)
        imani.page.get_by_role("button", name="Send", exact=True).click()
        expect(imani.messages).to_contain_text(name)
    memo = ana.locator("voice-memo")
    memo.get_by_role("button", name="Play voice memo, 0:02").click()
    wait_until(memo, PLAYS)
    picture = ana.locator("message-list img[alt*=IMG_0001]")
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 400
