"""Team Analytics: the numbers of a period, the rows that each of them counted, and these as a file."""

import csv
from itertools import chain

from django.contrib.auth.decorators import login_required
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import render

from inbox.analytics import charts
from inbox.analytics.asking import SERVICES, Asking
from inbox.analytics.numbers import Numbers
from inbox.analytics.period import RANGES
from inbox.analytics.planning import Plan, PlanForm
from inbox.analytics.rows import KINDS, newest_of, rows_of
from inbox.shortcuts import one_in

ROWS, AT_ONCE = 50, 500
# Figures whose rows say how long somebody had waited.
WAITED = ("answers", "answers_in_hour", "first_answers", "first_in_hour")
COLUMNS = [
    "time",
    "line",
    "conversation",
    "direction",
    "author",
    "service",
    "state",
    "code",
    "text",
    "message_id",
    "chat_id",
]


@login_required
def analytics(request):
    asking = asked(request)
    numbers = Numbers(asking)
    context = {
        "asking": asking,
        "numbers": numbers,
        "ranges": RANGES,
        "services": SERVICES,
        "volume": charts.volume(numbers),
        "answers": charts.answers(numbers),
        "week": charts.week(numbers),
        "plan": Plan(asking),
    }
    return render(request, "analytics/analytics.html", context, status=422 if asking.problem else 200)


@login_required
def figure_rows(request, kind):
    """The messages that a figure counted, the newest first."""
    asking, found = asked(request), known(kind)
    place = place_in(request, rows_of(asking, kind))
    rows = newest_of(asking, kind, ROWS + 1, until=place and place[0])
    page = list(with_all(rows.older_than(*place) if place else rows)[: ROWS + 1])
    shows_wait = kind in WAITED
    for message in page:
        message.took = (message.at - message.waited_since).total_seconds() if shows_wait else None
    context = {
        "shows_wait": shows_wait,
        "asking": asking,
        "kind": kind,
        "title": found[0],
        "count": Numbers(asking).total[kind],
        "rows": page[:ROWS],
        "last": page[ROWS - 1] if len(page) > ROWS else None,
        "is_first": place is None,
    }
    return render(request, "analytics/rows.html", context)


@login_required
def figure_file(request, kind):
    """The same rows as CSV, all of them, as they are read."""
    asking = asked(request)
    known(kind)
    rows = with_all(rows_of(asking, kind)).iterator(chunk_size=AT_ONCE)
    writer = csv.writer(Echo())
    lines = chain([writer.writerow(COLUMNS)], (writer.writerow(columns_of(row)) for row in rows))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = f"{kind}-{asking.period.first_day}-{asking.period.last_day}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@login_required
def planner(request):
    """How many lines it takes: works by its form alone, and by itself where there is script."""
    asking = asked(request)
    form = PlanForm(request.GET)
    plan = Plan(asking, **(form.said if form.is_valid() else {}))
    context = {"asking": asking, "plan": plan, "form": form}
    template = "analytics/_plan_answer.html" if request.htmx.target == "plan" else "analytics/planner.html"
    return render(request, template, context, status=200 if form.is_valid() else 422)


def asked(request):
    if request.environment is None:
        raise Http404("Not a member of any environment")
    return Asking(request.user, request.membership, request.environment, request.GET)


def known(kind):
    if kind not in KINDS:
        raise Http404(f"There is no figure “{kind}”")
    return KINDS[kind]


def place_in(request, rows):
    """(at, id) of the message behind which the page begins; None where none is named."""
    if not request.GET.get("before"):
        return None
    before = one_in(rows, request.GET["before"])
    return before.at, before.pk


def with_all(rows):
    rows = rows.select_related("line", "author", "sender__contact", "chat__line", "chat__icon")
    rows = rows.prefetch_related("parts__attachment", "chat__participants__handle__contact")
    return rows.order_by("-at", "-id")


class Echo:
    """A file that gives back what is written to it."""

    def write(self, value):
        return value


def columns_of(message):
    return [
        message.at.isoformat(timespec="seconds"),
        harmless(message.line),
        harmless(message.chat.name),
        message.direction,
        harmless(message.author or (message.sender and message.sender.name) or ""),
        message.service,
        message.state,
        message.error_code or "",
        harmless(message.text),
        message.pk,
        message.chat_id,
    ]


def harmless(value):
    """A table program runs what begins like a formula."""
    text = str(value)
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
