"""The page of one line."""

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.shortcuts import redirect, render
from django.utils import timezone

from inbox.charts import bars_of
from inbox.guarding import Ramp, rows_of
from inbox.line_figures import delivered_of, hours_of, today_of
from inbox.models import Chat
from inbox.views.lines.finding import line_for
from inbox.views.lines.forms import card_form_of, line_form_of
from inbox.views.lines.risk import risk_shown
from inbox.views.rules import TryForm, address_of
from lines.changes import changes_of
from lines.models import ContactCard, LineAlert, ReputationAudit
from lines.models.line import WIRES
from lines.pictures import MOST_BYTES, SMALLEST
from lines.standing import reputation_of, standing_of
from lines.switches import SWITCHES

# Changes that are shown on the page itself.
NEWEST = 8
# People who can be chosen as its owner.
MOST_PEOPLE = 500


@login_required
def line(request, pk):
    return page(request, line_for(request, pk))


@login_required
def old_address(request, pk):
    return redirect("line", line_for(request, pk).pk, permanent=True)


@login_required
def changes(request, pk):
    """All that happened to a line, a page at a time."""
    line = line_for(request, pk)
    before = request.GET.get("before", "")
    before = int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None
    told, older = changes_of(line, before=before)
    context = {"line": line, "changes": told, "older": older, "before": before}
    return render(request, "lines/changes.html", context)


def page(request, line, *, card_form=None, line_form=None, status=200):
    environment = request.environment
    line.environment = environment
    line.today = today_of(environment, [line])[line.pk]
    line.standing = standing_of(line, environment.day_of(timezone.now()))
    may_change = request.membership.is_admin
    told, older = changes_of(line, most=NEWEST)
    context = {
        "line": line,
        "may_change": may_change,
        "may_write": type(line).objects.answerable_by(request.user).filter(pk=line.pk).exists(),
        "reputation": reputation_of(line),
        "changes": told,
        "has_older": older,
        "alerts": list(LineAlert.objects.open().filter(line=line).order_by("-since")),
    }
    context |= numbers_of(environment, line) | risk_shown(line)
    context |= guarded(line) | said_by_carrier(line) | people_of(line) | card_of(line, card_form)
    if may_change:
        context |= {"could_own": line.seen_by()[:MOST_PEOPLE]}
        context |= {"line_form": line_form or line_form_of(line), "wires": WIRES}
        context["switches"] = [(name, title, words, getattr(line, name)) for name, title, words in SWITCHES]
    return render(request, "lines/line.html", context, status=status)


def numbers_of(environment, line):
    sent, delivered, failed = delivered_of(line, environment)
    hours = hours_of(environment, line)
    return {
        "delivered": f"{100 * delivered / sent:.1f}".removesuffix(".0") if sent else None,
        "failed": failed,
        "chart": bars_of(hours, places=24),
        "hours": list(enumerate(hours)),
        "pace": pace_of(line, hours),
    }


def pace_of(line, hours):
    """How many messages today will have had at its end, if it goes on as in the last three full hours; None where
    that says nothing yet."""
    full = hours[:-1][-3:]
    if len(full) < 3 or not sum(full):
        return None
    return round(sum(hours[:-1]) + sum(full) / len(full) * (24 - len(hours) + 1))


def said_by_carrier(line):
    """What it can, and the last report on its reputation."""
    names = {"sms": "SMS", "mms": "MMS", "voice": "voice calls"}
    able = {"sms": True, "mms": True} | line.capabilities
    audit = ReputationAudit.objects.filter(line=line, status="complete").order_by("-started_at").first()
    drivers = ((audit and audit.report) or {}).get("drivers") or []
    return {
        "capabilities": [line.line_type] + [names.get(name, name) for name, can in able.items() if can],
        "audit": audit,
        "drivers": [driver for driver in drivers if isinstance(driver, dict)][:5],
    }


def guarded(line):
    """Its rules and its plan, as templates/guard shows them."""
    rows = rows_of(line.environment, line)
    plan = {"ramp": Ramp(line), "try": TryForm(line=line)}
    return {"rows": rows.values(), "guard_url": address_of(line)} | plan


def people_of(line):
    """Its owner, the agents whom it lets in with how, those whom it could let in, and who sees every line."""
    members = line.environment.memberships.filter(user__is_active=True).select_related("user")
    members = list(members.order_by("user__name", "user__email"))
    access = {one.user_id: one for one in line.access.all()}
    agents = [member.user for member in members if not member.sees_every_line]
    return {
        "agents": [(user, access[user.pk]) for user in agents if user.pk in access],
        "others": [user for user in agents if user.pk not in access],
        "overseers": [member.user for member in members if member.sees_every_line],
    }


def card_of(line, form):
    card = ContactCard.of(line)
    shared = Chat.objects.filter(Q(card_shared_at__isnull=False), line=line).count()
    return {
        "card": card,
        "shared": shared,
        "form": form or card_form_of(card),
        "backups": line.environment.lines.exclude(pk=line.pk).order_by("name", "phone_number")[:100],
        "most_bytes": MOST_BYTES,
        "smallest": SMALLEST,
    }
