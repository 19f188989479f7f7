"""Files on their way out: by button, paste, drop and web address, with what may go wrong under way."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import live, open_chat
from tests.browser.threads import message
from tests.inbox import files

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# As another program puts files on the clipboard, or drags them here.
GIVE = """
(target, { kind, files }) => {
  const transfer = new DataTransfer()
  for (const { name, type, text } of files) transfer.items.add(new File([text], name, { type }))
  const options = { bubbles: true, cancelable: true }
  if (kind === "paste") target.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: transfer }))
  else for (const name of ["dragover", "drop"]) target.dispatchEvent(new DragEvent(name, { ...options, dataTransfer: transfer }))
}
"""
KILOBYTE = 1024


def plain(name, size=40):
    return {"name": name, "mimeType": "text/plain", "buffer": (name.encode() * size)[: max(size, 10)]}


def attach(page, *chosen):
    page.locator("[data-files]").set_input_files(list(chosen))


def give(page, kind, *names):
    given = [{"name": name, "type": "text/plain", "text": f"What is in {name}"} for name in names]
    page.locator(".composer__text").evaluate(GIVE, {"kind": kind, "files": given})


def chips(page):
    return page.locator(".upload")


def chip(page, name):
    return chips(page).filter(has_text=name)


def press_send(page):
    page.get_by_role("button", name="Send", exact=True).click()


def slowly(page, *, bytes_per_second):
    """From now on, what leaves this page takes its time; -1 as ever."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second},
    )


def open_quietly(window, name="Pavel Horak"):
    page = open_chat(window("max"), name)
    live(page)
    return page


def test_several_at_once_by_button_paste_and_drop_in_their_order(window, handset, axe):
    max, ingrid = open_quietly(window, "Ingrid Solheim"), handset("Ingrid", "Shop")
    with max.expect_file_chooser() as chooser:
        max.get_by_role("button", name="Attach files").press("Enter")
        max.keyboard.press("Enter")
    chooser.value.set_files([plain("one.txt"), plain("two.txt")])
    expect(chips(max)).to_have_count(2)
    give(max, "paste", "three.txt")
    give(max, "drop", "four.txt", "five.txt")
    expect(chips(max).locator("b")).to_have_text(["one.txt", "two.txt", "three.txt", "four.txt", "five.txt"])
    expect(chips(max).filter(has_text="Ready")).to_have_count(5)
    axe(max)
    max.get_by_role("button", name="Remove two.txt").click()
    max.locator(".composer__text").fill("All the papers")
    max.locator(".composer__text").press("Control+Enter")

    sent = message(max, "All the papers")
    names = ["one.txt", "three.txt", "four.txt", "five.txt"]
    expect(sent.locator(".file-card > b")).to_have_text(names)
    expect(sent.locator(".message__bubble").last).to_contain_text("All the papers")
    expect(chips(max)).to_have_count(0)
    expect(ingrid.messages).to_contain_text("All the papers")
    there = ingrid.messages.inner_text()
    places = [there.rindex(words) for words in [*names, "All the papers"]]
    assert places == sorted(places)
    assert "two.txt" not in there


def test_how_far_it_is_and_stopping_it(window):
    max = open_quietly(window)
    slowly(max, bytes_per_second=60 * KILOBYTE)
    attach(max, plain("Slow.txt", 600 * KILOBYTE))
    expect(chip(max, "Slow.txt").locator("small")).to_contain_text(re.compile(r"^\d+ % · \d+ s left"))
    width = chip(max, "Slow.txt").locator(".meter__fill")
    expect(width).to_have_attribute("width", re.compile("^[1-9]"))
    # Send waits for what is still under way.
    max.locator(".composer__text").fill("With the slow one")
    press_send(max)
    expect(max.locator(".composer__hint")).to_contain_text("Leaves when the files are there")
    expect(max.locator(".message", has_text="With the slow one")).to_have_count(0)
    max.get_by_role("button", name="Cancel Slow.txt").click()
    expect(chips(max)).to_have_count(0)
    slowly(max, bytes_per_second=-1)
    expect(message(max, "With the slow one")).to_have_count(1)
    expect(message(max, "With the slow one").locator(".file-card")).to_have_count(0)


def test_what_failed_on_the_way_is_tried_again(window, handset):
    max, pavel = open_quietly(window), handset("Pavel")
    max.route("**/uploads/", lambda route: route.abort())
    attach(max, plain("Lost.txt"))
    lost = chip(max, "Lost.txt")
    expect(lost).to_contain_text("The server could not be reached")
    expect(lost).to_have_attribute("data-state", "failed")
    max.locator(".composer__text").fill("Found again")
    press_send(max)
    expect(max.locator(".composer__warning").first).to_contain_text(
        "One of the files did not arrive. Try it again, or remove it."
    )
    expect(max.locator(".composer__text")).to_have_value("Found again")
    expect(max.locator(".message", has_text="Found again")).to_have_count(0)

    max.unroute("**/uploads/")
    max.get_by_role("button", name="Try Lost.txt again").click()
    expect(lost).to_contain_text("Ready")
    press_send(max)
    expect(message(max, "Found again").locator(".file-card")).to_contain_text("Lost.txt")
    expect(pavel.messages).to_contain_text("Lost.txt")


def test_a_web_address_is_fetched_by_the_server_but_not_from_inside(window):
    max = open_quietly(window)
    max.get_by_role("button", name="Attach files").click()
    max.get_by_role("menuitem", name=re.compile("From a web address")).click()
    field = max.get_by_label("Web address of a file")
    expect(field).to_be_focused()
    max.keyboard.type("https://127.0.0.1/secret.png")
    max.keyboard.press("Enter")
    expect(field).to_be_hidden()
    refused = chip(max, "https://127.0.0.1/secret.png")
    expect(refused).to_have_attribute("data-state", "failed")
    expect(refused).to_contain_text("Media is fetched over https from public addresses only.")
    expect(refused.get_by_role("button", name=re.compile("again"))).to_be_hidden()
    max.get_by_role("button", name="Remove https://127.0.0.1/secret.png").click()
    expect(chips(max)).to_have_count(0)


def test_what_no_phone_takes_is_refused_with_its_reason(window, copy):
    max = open_quietly(window)
    # A hundred megabytes and a bit: it is not even sent.
    asked = []
    max.on("request", lambda request: "/uploads/" in request.url and asked.append(request.url))
    max.locator("upload-list").evaluate(
        "(list) => list.add([new File([new Uint8Array(101 * 2 ** 20)], 'Wedding.mov')])"
    )
    expect(chip(max, "Wedding.mov")).to_contain_text("101 MB, the limit is 100 MB")
    expect(chip(max, "Wedding.mov").get_by_role("button", name=re.compile("again"))).to_be_hidden()
    assert asked == []
    max.get_by_role("button", name="Remove Wedding.mov").click()
    attach(
        max,
        {"name": "Page.html", "mimeType": "text/html", "buffer": b"<script>alert(1)</script>"},
        {"name": "Empty.txt", "mimeType": "text/plain", "buffer": b""},
    )
    expect(chip(max, "Page.html")).to_contain_text(
        "Page.html is a program or a web page, and phones do not take those."
    )
    expect(chip(max, "Empty.txt")).to_contain_text("Empty.txt is empty.")
    for name in ("Page.html", "Empty.txt"):
        max.get_by_role("button", name=f"Remove {name}").click()


def test_a_picture_of_an_iphone_is_seen_by_both(window, handset):
    max, ingrid = open_quietly(window, "Ingrid Solheim"), handset("Ingrid", "Shop")
    heic = {"name": "IMG_2040.HEIC", "mimeType": "image/heic", "buffer": files.picture("HEIF", (400, 300))}
    attach(max, heic)
    expect(chip(max, "IMG_2040.HEIC")).to_contain_text("Ready")
    max.locator(".composer__text").fill("From my own phone")
    press_send(max)
    ours = message(max, "From my own phone").locator("img[alt*='IMG_2040']")
    expect(ours).to_have_js_property("naturalWidth", 400)
    theirs = ingrid.messages.locator("img[alt='IMG_2040.HEIC']")
    expect(theirs).to_have_js_property("naturalWidth", 400)


def test_a_drawing_that_could_run_is_only_downloaded(window, handset):
    max, ingrid = open_quietly(window, "Ingrid Solheim"), handset("Ingrid", "Shop")
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><circle r="5"/></svg>'
    ingrid.send_file({"name": "Sprocket.svg", "mimeType": "image/svg+xml", "buffer": svg})
    card = max.locator(".file-card", has_text="Sprocket.svg").last
    expect(card).to_have_attribute("download", "")
    expect(max.locator("img[alt*=Sprocket]")).to_have_count(0)
    with max.expect_download() as download:
        card.click()
    assert download.value.suggested_filename == "Sprocket.svg"
    answer = max.request.get(card.evaluate("(link) => link.href"))
    assert answer.headers["content-disposition"].startswith("attachment")
