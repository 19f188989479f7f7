from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.shortcuts import render
from django.utils import timezone

from inbox.line_figures import new_people_of, today_of
from inbox.views.lines.finding import IN_STATE, STATES, FilterForm, lines_for, matching, page_of
from lines.models import Account, LineAccess, LineAlert, Membership
from lines.standing import reputation_of, standing_of

# Names in the sentence above the lines, lines in the view of how people spread, alerts above all.
NAMED, SPREAD, ALERTS = 3, 40, 10


@login_required
def lines(request):
    said = FilterForm(request.GET).said
    everything = lines_for(request)
    after = said.pop("after", None)
    found, more = page_of(matching(everything, said, request.user), after)
    context = {
        "lines": shown(request.environment, found),
        "said": said,
        "states": STATES,
        "owners": FilterForm().fields["owner"].choices,
        "more": more and urlencode(said | {"after": more}),
        "after": after,
    }
    if request.htmx and request.htmx.target == "more-lines":
        return render(request, "lines/lines.html#cards", context)
    context |= summary_of(everything) | spread_of(request.environment, everything)
    context["alerts"] = alerts_of(request)
    if not request.environment.is_sandbox and request.membership.is_admin:
        context["account"] = (
            Account.objects.filter(environment=request.environment).exclude(trouble="").first()
        )
    return render(request, "lines/lines.html", context)


def shown(environment, lines):
    """With what a card of the list shows."""
    day, today = environment.day_of(timezone.now()), today_of(environment, lines)
    people = faces_of(environment, lines)
    for line in lines:
        line.today, line.standing = today[line.pk], standing_of(line, day)
        line.said = foot_of(line)
        line.faces = people[line.pk]
    return lines


def foot_of(line):
    if line.status == line.Status.FLAGGED:
        return "Nothing leaves"
    return f"Ramp: {line.today.limit:,} today" if line.today.is_ramp else reputation_of(line)


def faces_of(environment, lines):
    """{line's id: its owner and those whom it lets in}"""
    members = Membership.objects.filter(environment=environment).values("user")
    access = LineAccess.objects.filter(line__in=lines, user__in=members, user__is_active=True)
    faces = {line.pk: [line.owner] if line.owner else [] for line in lines}
    for one in access.select_related("user").order_by("user__name"):
        if one.user not in faces[one.line_id]:
            faces[one.line_id].append(one.user)
    return faces


def summary_of(lines):
    """How many there are of each state, and the names of those that want to be looked at."""
    counts = lines.aggregate(**{name: Count("pk", filter=where) for name, where in IN_STATE.items()})
    named = lines.filter(Q(status__in=("flagged", "paused")) | IN_STATE["watch"]).order_by("name")
    day = lines[0].environment.day_of(timezone.now()) if any(counts.values()) else None
    named = list(named[: NAMED + 1])
    for line in named:
        line.standing = standing_of(line, day)
    return {
        "counts": counts,
        "total": sum(counts.values()),
        "worrying": named[:NAMED],
        "more_worrying": len(named) > NAMED,
    }


def spread_of(environment, lines):
    """How the people who are new to us within 30 days spread over the lines."""
    lines = list(lines.exclude(status="paused").order_by("name")[:SPREAD])
    rows = new_people_of(environment, lines)
    total = sum(count for _, count in rows)
    most = max((count for _, count in rows), default=0)
    spread = [
        {
            "line": line,
            "count": count,
            "percent": round(100 * count / total) if total else 0,
            "bar": round(100 * count / most) if most else 0,
        }
        for line, count in rows
    ]
    return {"spread": spread, "new_people": total, "even": round(100 / len(rows)) if rows else 0}


def alerts_of(request):
    alerts = LineAlert.objects.open().visible_to(request.user, request.environment)
    return list(alerts.select_related("line").order_by("-since")[:ALERTS])
