"""Team Analytics by mouse and keyboard: another range, the rows of a figure, the planner, the clock."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def opened(window, name, address="/analytics/", **options):
    page = window(name, **options)
    page.goto(address)
    return page


def counted(page):
    """Figures are counted every few seconds; a page shows them when it is opened."""
    for _ in range(60):
        if tile(page, "Conversations").inner_text().strip() != "0":
            return
        page.wait_for_timeout(1000)
        page.reload()
    raise AssertionError("Nothing was counted in a minute")


def tile(page, name):
    return page.locator(".tile", has=page.get_by_text(name, exact=True)).locator(".tile__value")


def test_a_figure_leads_to_what_it_counted(window, axe):
    page = opened(window, "max")
    counted(page)
    page.get_by_role("link", name="7d", exact=True).click()
    page.wait_for_url(re.compile("range=7d"))
    tile(page, "Conversations").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Conversations")).to_be_visible()
    rows = page.get_by_role("table").locator("tbody tr")
    expect(page.locator("#rows-title")).to_have_text(str(rows.count()))
    axe(page)
    page.get_by_role("table").get_by_role("link").first.click()
    page.wait_for_url(re.compile("/inbox/all/.*message="))
    page.go_back()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename.startswith("conversations-")
    page.get_by_role("link", name="Team Analytics").click()
    page.wait_for_url(re.compile("range=7d"))

    page.get_by_label("Line", exact=True).select_option("Shop")
    page.wait_for_url(re.compile("line="))
    expect(page.locator(".shares__row")).to_have_count(1)
    table = page.locator("section", has=page.get_by_role("heading", name="Messages per day"))
    table.get_by_text("As a table").click()
    expect(table.get_by_role("row")).to_have_count(8)


def test_days_are_chosen_and_wrong_ones_refused(window, axe):
    page = opened(window, "max")
    page.get_by_role("button", name="Custom").press("Enter")
    form = page.get_by_role("dialog", name="From which day to which")
    form.get_by_label("From").fill("2026-01-31")
    form.get_by_label("To").fill("2026-01-01")
    axe(page)
    form.get_by_role("button", name="Show these days").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The first day comes before the last.")
    page.goto("/analytics/?range=custom&since=2026-01-01&until=2026-01-31")
    expect(page.get_by_role("heading", name="Messages per day")).to_be_visible()


def test_the_planner_answers_while_its_sliders_move(window):
    page = opened(window, "max", "/analytics/planner/")
    page.get_by_label("Customers per day", exact=True).first.fill("900")
    page.get_by_label("Messages in, each").first.fill("7")
    page.get_by_label("Messages out, each").first.fill("7")
    expect(page.locator("#plan")).to_contain_text("12,600 messages a day")
    expect(page.locator("#plan")).to_contain_text("5 lines")
    page.get_by_role("slider", name="Customers per day").press("Home")
    expect(page.locator("#plan")).to_contain_text("one line is enough")


def test_an_agent_sees_only_their_own(window):
    page = opened(window, "tom")
    expect(page.locator(".shares__row")).to_have_count(1)
    expect(page.locator(".shares__name")).to_have_text("Workshop")
    expect(page.get_by_label("Person", exact=True).locator("option")).to_have_count(2)


def test_the_clock_is_set(window, axe):
    page = opened(window, "max", "/settings/environment/")
    page.get_by_label("Time zone").fill("Nowhere")
    page.get_by_role("button", name="Save the hours").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no time zone “Nowhere”")
    page.get_by_label("Time zone").fill("Europe/Lisbon")
    page.get_by_role("checkbox", name="Sat").check()
    page.get_by_role("button", name="Save the hours").click()
    expect(page.locator("#toasts")).to_contain_text("The opening hours are saved")
    axe(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(window, axe, theme):
    for viewport in ({"width": 1440, "height": 900}, PHONE):
        page = window("max", viewport=viewport, color_scheme=theme, reduced_motion="reduce")
        for address in ("/analytics/", "/analytics/?range=1y", "/analytics/answers/", "/analytics/planner/"):
            page.goto(address)
            axe(page)
