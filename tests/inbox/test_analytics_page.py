"""Team Analytics as a page: who sees what, every figure opens its rows, files, bad input, and what it costs."""

import csv
import io
import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from inbox.analytics import rollup
from inbox.analytics.rows import KINDS
from inbox.models import Chat, Label
from lines.models import Line
from tests.conftest import CARL, DORA
from tests.inbox.test_figures import START, portland, say

pytestmark = pytest.mark.django_db
__all__ = ["portland"]

QUERIES = 26


@pytest.fixture
def today(time_machine):
    time_machine.move_to(START + timedelta(hours=5), tick=False)


@pytest.fixture
def told(portland, shop, workshop, make_chat, make_message, ana, today):
    carl, dora = make_chat(shop, CARL, name="Carl"), make_chat(workshop, DORA)
    return {
        "question": make_message(carl, "Is it ready?", ago=7200),
        "answer": make_message(carl, "=SUM(1+1)", author=ana, ago=6900),
        "elsewhere": make_message(dora, "Secret", ago=7000),
    }


@pytest.fixture
def counted(portland, told):
    rollup.rebuild(portland)
    return told


def page(client, name="analytics", *args, **query):
    return client.get(reverse(name, args=args), query)


@pytest.mark.usefixtures("counted")
def test_a_lead_sees_the_numbers_of_every_line(client_of, lea, ana):
    response = page(client_of(lea), range="24h")

    html = response.content.decode()
    assert response.status_code == 200
    assert response.context["numbers"].total["inbound"] == 2
    for words in ("Team Analytics", "5 min", "Workshop", "Ana", "When customers write", "Capacity planner"):
        assert words in html, words


@pytest.mark.usefixtures("counted")
def test_an_agent_sees_those_of_their_own_lines(client_of, ben, workshop):
    response = page(client_of(ben), range="24h")

    assert response.context["numbers"].total["inbound"] == 1
    assert "Workshop" not in response.content.decode()
    rows = page(client_of(ben), "figure-rows", "inbound", range="24h", line=workshop.pk)
    assert "Secret" not in rows.content.decode()


@pytest.mark.usefixtures("counted")
def test_a_stranger_sees_nothing(client_of, olga, shop, told, client):
    for name, *args in (
        ("analytics",),
        ("figure-rows", "inbound"),
        ("figure-file", "inbound"),
        ("planner",),
    ):
        response = page(client_of(olga), name, *args, line=shop.pk)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        assert response.status_code == 200
        assert b"Is it ready" not in content
        assert b"Shop" not in content
        assert page(client, name, *args).status_code == 302
    before = page(client_of(olga), "figure-rows", "inbound", before=told["question"].pk)
    assert before.status_code == 404


@pytest.mark.usefixtures("counted")
def test_every_figure_opens_as_many_rows_as_it_counts(client_of, lea):
    client = client_of(lea)
    html = page(client, range="24h").content.decode()
    opened = set(re.findall(r'href="/analytics/(\w+)/\?', html)) - {"planner"}
    assert {
        "inbound",
        "outbound",
        "conversations",
        "new_people",
        "answers",
        "first_answers",
        "failed",
    } <= opened
    for kind in KINDS:
        response = page(client, "figure-rows", kind, range="24h")
        assert len(response.context["rows"]) == response.context["count"], kind


@pytest.mark.parametrize("asked", [{"range": "30d"}, {"range": "1y"}])
@pytest.mark.usefixtures("counted")
def test_what_a_bar_counts_opens_its_rows(client_of, lea, asked):
    client = client_of(lea)
    for column in page(client, **asked).context["volume"]["columns"]:
        response = client.get(f"{reverse('figure-rows', args=['inbound'])}{column['query']}")
        assert response.status_code == 200
        assert len(response.context["rows"]) == column["counts"]["inbound"]


def test_a_label_narrows_the_numbers_and_their_rows(client_of, lea, portland, told):
    label = Label.make(portland, "Wheels", by=lea)
    told["question"].chat.add_label(label, by=lea)
    rollup.rebuild(portland)
    client = client_of(lea)
    response = page(client, range="24h")
    (row,) = response.context["numbers"].by_label
    assert (row[0], row[1]["inbound"], row[1]["outbound"]) == (label, 1, 1)
    assert "By label" in response.content.decode()

    response = page(client, range="24h", label=label.pk)
    assert response.context["numbers"].total["inbound"] == 1
    assert f'value="{label.pk}" selected' in response.content.decode()
    for kind in KINDS:
        response = page(client, "figure-rows", kind, range="24h", label=label.pk)
        assert len(response.context["rows"]) == response.context["count"], kind
    assert (
        "Secret" not in page(client, "figure-rows", "inbound", range="24h", label=label.pk).content.decode()
    )


@pytest.mark.usefixtures("counted")
def test_who_waits_now_opens_those_who_wait(client_of, lea, shop, ana, told):
    client, chat = client_of(lea), told["elsewhere"].chat
    Chat.objects.filter(pk=chat.pk).update(waiting_since=told["elsewhere"].at)
    for query in ({}, {"line": chat.line_id}, {"person": ana.pk}):
        numbers = page(client, **query).context["numbers"]
        rows = client.get(numbers.waiting_path).context["rows"]
        assert len(rows) == numbers.waiting[0], query
    assert page(client, line=shop.pk, person=ana.pk).context["numbers"].waiting_path == ""


@pytest.mark.usefixtures("counted")
def test_rows_come_as_a_file_that_harms_no_table(client_of, lea):
    response = page(client_of(lea), "figure-file", "outbound", range="24h")

    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
    assert [row["text"] for row in rows] == ["'=SUM(1+1)"]
    assert rows[0]["author"] == "Ana"
    assert "attachment" in response["Content-Disposition"]


def test_rows_are_paged_by_where_they_stand(client_of, lea, portland, shop, make_chat, today):
    carl = make_chat(shop, CARL)
    for number in range(120):
        say(carl, number)
    rollup.rebuild(portland)
    client, seen, address = client_of(lea), [], reverse("figure-rows", args=["inbound"]) + "?range=24h"
    while address:
        response = client.get(address)
        seen += [message.pk for message in response.context["rows"]]
        found = re.search(r'rel="next" href="([^"]+)"', response.content.decode())
        address = found and found[1].replace("&amp;", "&")

    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize("days", [30, 92, 93, 365])
def test_each_bar_of_a_chart_counts_its_own_days(client_of, lea, portland, shop, make_chat, today, days):
    carl, now = make_chat(shop, CARL), timezone.now()
    for day in range(days):
        say(carl, -day * 24 * 60)
    rollup.rebuild(portland)
    since = portland.day_of(now) - timedelta(days=days - 1)
    response = page(client_of(lea), range="custom", since=since, until=portland.day_of(now))
    series = response.context["numbers"].series
    assert sum(counts["inbound"] for _, counts in series) == days
    assert len(series) == (days if days <= 92 else len({(day.year, day.month) for day, _ in series}))
    assert all(counts["inbound"] == 1 for _, counts in series) or days > 92
    assert all(counts["inbound"] <= 31 for _, counts in series)


@pytest.mark.usefixtures("counted")
def test_bad_input_says_why(client_of, lea):
    client = client_of(lea)
    for query in (
        {"range": "x"},
        {"range": "custom"},
        {"range": "custom", "since": "2026-11-02", "until": "1"},
    ):
        response = page(client, **query)
        assert response.status_code == 422
        assert b'role="alert"' in response.content
    assert page(client, "figure-rows", "riches").status_code == 404
    assert page(client, "figure-rows", "inbound", before="x").status_code == 404
    assert page(client, "planner", people="-1").status_code == 422


@pytest.mark.usefixtures("counted")
def test_the_page_takes_as_many_queries_for_a_year_as_for_a_day(client_of, lea, shop):
    client = client_of(lea)
    for query in ({"range": "24h"}, {"range": "7d"}, {"range": "30d"}, {"range": "1y"}, {"line": shop.pk}):
        with CaptureQueriesContext(connection) as queries:
            page(client, **query)
        assert len(queries) <= QUERIES, len(queries)


def test_the_planner_works_with_what_was_measured(
    client_of, lea, portland, shop, make_chat, ana, time_machine
):
    for number in range(6):
        for person in range(1 + number):
            chat = make_chat(shop, f"+1415555{number}{person:03}")
            say(chat, number * 24 * 60)
            say(chat, number * 24 * 60 + 5, author=ana)
    rollup.rebuild(portland)
    time_machine.move_to(START + timedelta(days=6), tick=False)
    response = page(client_of(lea), "planner")

    plan = response.context["plan"]
    assert (plan.pilot, plan.people, plan.inbound, plan.outbound) == (shop, 4, 1.0, 1.0)
    assert plan.people_per_line == 1500
    assert plan.crossed_on is None
    # Two messages more each day: 2 on 28 October, so 100 on 16 December.
    Line.objects.update(daily_limit=100)
    assert page(client_of(lea), "planner").context["plan"].crossed_on == date(2026, 12, 16)
    response = page(client_of(lea), "planner", people=4000, inbound=2, outbound=2, limit=3000)
    assert response.context["plan"].lines_needed == 6
    assert "16,000 messages a day" in response.content.decode()
