"""How long the pages of Team Analytics take over a year of 100 lines and 5 million messages.

Each page is asked for by a lead through the test client, first once and then five times, of which the middle one
counts: views, queries and the drawing of the HTML, without the network. Beside it, of the same run: SELECT 1. What a
page says of the year is compared with a count of the messages themselves.
"""

import argparse
import statistics
import sys
import time
from urllib.parse import urlencode

from _harness import ROOT, Clock, copy_of_partyline, finish, print_table

AIM = 300  # ms, for every page
PAGES = [
    ("analytics",),
    ("figure-rows", "inbound"),
    ("figure-rows", "conversations"),
    ("figure-rows", "first_answers"),
    ("figure-rows", "new_people"),
    ("figure-rows", "failed"),
    ("figure-rows", "opt_outs"),
    ("planner",),
]


def main():
    parser = argparse.ArgumentParser(prog="bin/bench analytics", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 lines and 200,000 messages")
    options = parser.parse_args()
    with copy_of_partyline():
        sys.path.insert(0, str(ROOT))
        from django.core.management import call_command

        from tests.year_of_data import YearOfData

        call_command("collectstatic", interactive=False, verbosity=0)
        size = {"lines": 20, "chats": 4000, "messages": 200_000} if options.quick else {}
        began = time.perf_counter()
        data = YearOfData(**size).fill()
        figures = {"filled_s": time.perf_counter() - began} | counted(data)
        figures["equal"] = equal(data)
        rows, slowest = measured(data)
        figures |= slowest
    print_table(["asked for", "page", "ms", "of these the database", "queries"], rows)
    ok = figures["equal"] and figures["slowest_ms"] < AIM
    finish("analytics", {name: round(value, 2) for name, value in figures.items()}, ok=ok)


def counted(data):
    from django.db import connection

    from inbox.analytics import rollup

    began = time.perf_counter()
    rollup.rebuild(data.environment)
    took = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return {"counted_s": took, "messages_per_s": data.messages_count / took}


def equal(data):
    """Whether the figures of the year say what the messages themselves say."""
    from inbox.analytics.asking import Asking
    from inbox.analytics.numbers import Numbers
    from inbox.models import Message

    membership = data.lea.memberships.get()
    numbers = Numbers(Asking(data.lea, membership, data.environment, {"range": "1y"}))
    raw = Message.objects.filter(at__gte=numbers.period.start, at__lt=numbers.period.end)
    return (
        numbers.total["inbound"] == raw.filter(direction="inbound").count()
        and numbers.total["outbound"] == raw.filter(direction="outbound").count()
        and numbers.total["failed"] == raw.filter(failed_at__isnull=False, delivered_at=None).count()
    )


def asked(data, name, *args, query):
    from django.test import Client
    from django.urls import reverse

    if not hasattr(data, "client"):
        data.client = Client(SERVER_NAME="localhost")
        data.client.force_login(data.lea)
    response = data.client.get(f"{reverse(name, args=args)}?{urlencode(query)}")
    if response.status_code != 200:
        raise SystemExit(f"{name} {query} answers {response.status_code}.")
    return response


def questions(data):
    year = data.now.year
    return [
        {"range": "24h"},
        {"range": "7d"},
        {"range": "30d"},
        {"range": "1y"},
        {"range": "custom", "since": f"{year - 1}-12-03", "until": f"{year}-09-17"},
        {"range": "1y", "line": data.lines[7].pk},
        {"range": "1y", "person": data.agents[14].pk},
        {"range": "1y", "service": "SMS"},
        {"range": "1y", "label": data.labels[3].pk},
    ]


def measured(data):
    """Rows of the table, and what took longest."""
    rows, slowest = [], {"slowest_ms": 0, "select_1_ms": select_1()}
    for query in questions(data):
        words = " ".join(f"{key}={str(value)[-10:]}" for key, value in query.items())
        for name, *args in PAGES:
            took, database, queries = timed(data, name, *args, query=query)
            rows.append([words, " ".join([name, *args]), f"{took:.0f}", f"{database:.0f}", queries])
            slowest["slowest_ms"] = max(slowest["slowest_ms"], took)
    return rows, slowest


def timed(data, name, *args, query):
    from django.db import connection

    times = []
    for _ in range(6):
        clock, began = Clock(), time.perf_counter()
        with connection.execute_wrapper(clock):
            asked(data, name, *args, query=query)
        times.append(((time.perf_counter() - began) * 1000, clock.took, clock.count))
    return sorted(times[1:])[2]


def select_1():
    from django.db import connection

    times = []
    with connection.cursor() as cursor:
        for _ in range(200):
            began = time.perf_counter()
            cursor.execute("SELECT 1").fetchall()
            times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    main()
