"""One comparison, step by step. Each step ends in one transaction with where it is, so it may be killed at any time."""

import time
from datetime import timedelta

import structlog
from django.db import OperationalError, transaction
from django.db.models import F

from inbox.models import Chat
from lines import gateways
from lines.gateways import PermanentFailure, TemporaryFailure
from webhooks import rest
from webhooks.comparing import account, reading
from webhooks.models import ComparedChat, Comparison, LineComparison
from webhooks.models.comparison import Lost

log = structlog.get_logger()

# Seconds that one worker goes on before somebody else may.
LASTS = 20
# Conversations that are read at the same time and learned in one transaction.
BATCH = 8
WAITS = timedelta(minutes=5)


def work(pk, lasts=LASTS):
    """Go on with a comparison; whoever finds somebody else at it leaves."""
    comparison = Comparison.objects.select_related("environment").filter(pk=pk).first()
    if comparison is None or not comparison.take():
        return
    until = time.monotonic() + lasts
    try:
        gateway = gateways.for_environment(comparison.environment)
        while time.monotonic() < until:
            if not step(comparison, gateway):
                return
    except Lost:
        log.info("comparison_lost", comparison=pk)
    except TemporaryFailure as failure:
        comparison.give_back(max(backoff(comparison.tries), failure.retry_after), failure.reason)
    except PermanentFailure as failure:
        log.warning("comparison_waits", comparison=pk, reason=failure.reason)
        comparison.give_back(WAITS, failure.reason)
    except OperationalError:
        # A deadlock says nothing about what is compared.
        log.warning("comparison_interrupted", comparison=pk, exc_info=True)
        comparison.give_back(timedelta(seconds=1))
    else:
        comparison.give_back()


def backoff(tries):
    return timedelta(seconds=min(60, 2 ** min(tries, 6)))


def step(comparison, gateway):
    """The next thing to do; False where nothing is left."""
    began = time.monotonic()
    if not comparison.is_prepared:
        account.look(comparison, gateway)
        with transaction.atomic():
            comparison.renew(time.monotonic() - began)
            Comparison.objects.filter(pk=comparison.pk).update(is_prepared=True)
        comparison.is_prepared = True
    elif row := comparison.lines.filter(is_listed=False).select_related("line").first():
        list_page(comparison, gateway, row, began)
    elif rows := list(comparison.chats.filter(is_done=False).order_by("pages", "-updated_at")[:BATCH]):
        reading.read(comparison, gateway, rows, began)
    else:
        with transaction.atomic():
            comparison.renew()
            Comparison.objects.filter(pk=comparison.pk).update(state=Comparison.State.DONE)
            comparison.end()
        return False
    return True


def list_page(comparison, gateway, row, began):
    """One page of a line's conversations: those that are to be read are written down."""
    chats, cursor = gateway.list_chats(row.line.phone_number, row.cursor)
    rows = [compared(comparison, row.line, chat) for chat in chats]
    if not comparison.lists_all:
        rows = [one for one in rows if not one.is_done]
        if is_newest_first(chats) and chats and rest.changed_at(chats[-1]) < comparison.since:
            cursor = ""
    with transaction.atomic():
        comparison.renew(time.monotonic() - began)
        ComparedChat.objects.bulk_create(rows, ignore_conflicts=True)
        LineComparison.objects.filter(pk=row.pk).update(
            cursor=cursor, is_listed=not cursor, chats=F("chats") + len(chats)
        )
        if not cursor:
            ComparedChat.objects.bulk_create(not_listed(comparison, row.line), ignore_conflicts=True)


def compared(comparison, line, chat):
    """A chat as it was listed. Nothing of it is read where nothing has happened in it since: what is from before is for
    the import, where somebody wants it."""
    changed_at = rest.changed_at(chat)
    is_quiet = comparison.since is not None and changed_at < comparison.since
    return ComparedChat(
        comparison=comparison,
        line=line,
        external_id=chat["id"],
        data=None if is_quiet else chat,
        updated_at=changed_at,
        is_done=is_quiet,
    )


def not_listed(comparison, line):
    """Conversations that are here and were not among them: the account may have them no more. Where not all were listed,
    those in which something has happened here."""
    here = Chat.objects.filter(line=line).exclude(external_id=None)
    # Whoever has begun one meanwhile will find it in the next comparison.
    here = here.filter(created_at__lt=comparison.started_at - timedelta(minutes=1))
    if not comparison.lists_all:
        here = here.filter(last_activity_at__gte=comparison.since)
    here = here.exclude(external_id__in=comparison.chats.filter(line=line).values("external_id"))
    return [
        ComparedChat(comparison=comparison, line=line, external_id=external_id, updated_at=at)
        for external_id, at in here.values_list("external_id", "last_activity_at")
    ]


def is_newest_first(chats):
    times = [rest.changed_at(chat) for chat in chats]
    return times == sorted(times, reverse=True)


def next_since(environment):
    """Up to where the last comparison was sure; None where there was none."""
    last = Comparison.objects.filter(environment=environment, state=Comparison.State.DONE).exclude(
        kind=Comparison.Kind.IMPORT
    )
    started = last.order_by("-started_at").values_list("started_at", flat=True).first()
    return started and started - Comparison.MARGIN
