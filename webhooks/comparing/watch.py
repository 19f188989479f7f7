"""When an account is compared: every few minutes, every night, and after whatever may have lost something."""

from datetime import timedelta

import structlog
from django.db import connection
from django.utils import timezone

from lines.gateways.base import GatewayError
from lines.models import Account
from webhooks.comparing.worker import next_since
from webhooks.models import Comparison

log = structlog.get_logger()

EVERY = timedelta(minutes=5)
# Without a sign of life of ours for so long nobody has listened.
AWAY_AFTER = timedelta(minutes=3)
NIGHT, NIGHTLY_BACK = 3, timedelta(days=7)
# Silence of a line that is longer than this and three times what is usual for it.
SILENT_AFTER, UNUSUAL = timedelta(minutes=15), 3
# Messages by which the usual silence of a line is judged, and the fewest.
LATEST, FEWEST = 200, 20

LONGEST_SILENCE = """
SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY silence), max(at), count(*) FROM (
    SELECT at, extract(epoch FROM at - lag(at) OVER (ORDER BY at)) AS silence
    FROM (SELECT at FROM inbox_message WHERE line_id = %s AND at <= %s ORDER BY at DESC LIMIT %s) latest
) silences
"""


def watch_all():
    """Meant for every minute."""
    accounts = Account.objects.exclude(subscription_id="").select_related("environment")
    for account in accounts:
        try:
            account.end_rotation()
        except GatewayError as failure:
            log.warning("rotation_waits", environment=account.environment.slug, reason=failure.reason)
        watch(account)
    Comparison.forget_old()


def watch(account):
    environment, now = account.environment, timezone.now()
    before, account.alive_at = account.alive_at, now
    account.save(update_fields=["alive_at"])
    kinds, since = Comparison.Kind, next_since(environment) or account.mirrored_since
    if before and now - before > AWAY_AFTER:
        away = min(since, before - Comparison.MARGIN)
        return begin(environment, kinds.GAP, since=away, reason="Partyline was not running")
    done = Comparison.objects.filter(environment=environment).exclude(kind=kinds.IMPORT)
    day = environment.start_of(environment.day_of(now))
    if (
        now.astimezone(environment.zone).hour >= NIGHT
        and not done.filter(kind=kinds.NIGHTLY, started_at__gte=day).exists()
    ):
        return begin(environment, kinds.NIGHTLY, since=now - NIGHTLY_BACK)
    if line := silent_line(account, done, now):
        return begin(environment, kinds.GAP, since=since, reason=f"{line} was silent for unusually long")
    if not done.filter(started_at__gt=now - EVERY).exists():
        return begin(environment, kinds.REGULAR, since=since)
    return None


def begin(environment, kind, **about):
    return Comparison.begin(environment, kind, **about)


def silent_line(account, done, now):
    """A line of which nothing was heard for longer than is usual, unless that was looked into already."""
    for line in account.lines:
        with connection.cursor() as cursor:
            cursor.execute(LONGEST_SILENCE, [line.pk, now, LATEST])
            usual, newest, count = cursor.fetchone()
        if count < FEWEST or usual is None:
            continue
        silence = max(SILENT_AFTER, timedelta(seconds=UNUSUAL * usual))
        looked = done.filter(kind=Comparison.Kind.GAP, started_at__gt=newest)
        if now - newest > silence and not looked.exists():
            return line
    return None
