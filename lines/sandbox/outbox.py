"""The carrier's queue of webhooks: what is due is signed and posted until our side has taken it."""

import hashlib
import hmac
import time
from datetime import timedelta

import httpx
import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from standardwebhooks import Webhook

from lines.models.sandbox import SandboxWebhook
from lines.sandbox import blocks, faults
from partyline.wake import wake

log = structlog.get_logger()

# Seconds to wait after the first, second … refusal; then every LAST_WAIT until GIVES_UP has passed.
WAITS = [2, 4, 8, 16, 30]
LAST_WAIT = 60
GIVES_UP = timedelta(days=1)
CLAIM_LASTS = timedelta(seconds=60)
BATCH = 50
# A poster that knows of something due within this many seconds waits for it: a wake-up would be later.
LOOKS_AHEAD = 1.0
# Any number, as long as all posters lock the same one.
LOCK = 7_278_955


def queue(environment, webhooks):
    """Post these webhooks when they are due. Inside the transaction of what they tell of."""
    from lines import tasks

    webhooks = faults.disturbed(environment, blocks.let_through(environment, webhooks))
    webhooks = SandboxWebhook.objects.bulk_create(webhooks)
    now = timezone.now()
    wake(tasks.post_sandbox_webhooks)
    for delay in {round((webhook.due_at - now).total_seconds(), 1) for webhook in webhooks}:
        if delay > LOOKS_AHEAD:
            wake(tasks.post_sandbox_webhooks, countdown=delay)


def call_off(event_id):
    """Do not post this webhook after all; False where it has gone out or there is none."""
    waits = SandboxWebhook.objects.filter(event_id=event_id, tries=0, delivered_at=None)
    return bool(event_id and waits.delete()[0])


def post_due():
    """Post all that is due now or within a second. One poster at a time, so that their order is kept.

    One that finds another at work leaves: that one looks once more after it has let go of the lock.
    """
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            if not cursor.fetchone()[0]:
                return
        try:
            with httpx.Client(base_url=settings.RECEIVER_URL, timeout=10, trust_env=False) as client:
                while wait_for_next():
                    for webhook in claim():
                        post(webhook, client)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
        if seconds_to_next() > LOOKS_AHEAD:
            return


def waiting():
    return SandboxWebhook.objects.filter(delivered_at=None, abandoned_at=None)


def seconds_to_next():
    next_due = waiting().order_by("due_at").values_list("due_at", flat=True).first()
    return (next_due - timezone.now()).total_seconds() if next_due else float("inf")


def wait_for_next():
    seconds = seconds_to_next()
    if seconds > LOOKS_AHEAD:
        return False
    time.sleep(max(0.0, seconds))
    return True


@transaction.atomic
def claim():
    """The oldest that are due, ours for a minute. Who dies meanwhile leaves them to be posted once more."""
    now = timezone.now()
    webhooks = list(
        waiting()
        .filter(due_at__lte=now)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("environment")
        .order_by("due_at", "id")[:BATCH]
    )
    for webhook in webhooks:
        webhook.tries += 1
        webhook.due_at = now + CLAIM_LASTS
    SandboxWebhook.objects.bulk_update(webhooks, ["tries", "due_at"])
    return webhooks


def post(webhook, client):
    try:
        response = client.post(
            f"/webhooks/in/{webhook.environment.slug}/",
            content=webhook.body.encode(),
            headers=signed(webhook, timezone.now()),
        )
    except httpx.HTTPError as error:
        return put_back(webhook, type(error).__name__)
    webhook.outcome = str(response.status_code)
    if response.is_success:
        webhook.delivered_at = timezone.now()
        webhook.save(update_fields=["delivered_at", "outcome"])
    elif response.is_server_error or response.status_code == 429:
        put_back(webhook, webhook.outcome)
    else:
        abandon(webhook)


def put_back(webhook, outcome):
    if webhook.created_at < timezone.now() - GIVES_UP:
        return abandon(webhook)
    wait = WAITS[webhook.tries - 1] if webhook.tries <= len(WAITS) else LAST_WAIT
    webhook.outcome = outcome
    webhook.due_at = timezone.now() + timedelta(seconds=wait)
    webhook.save(update_fields=["outcome", "due_at"])


def abandon(webhook):
    log.warning("sandbox_webhook_abandoned", event_id=str(webhook.event_id), outcome=webhook.outcome)
    webhook.abandoned_at = timezone.now()
    webhook.save(update_fields=["abandoned_at", "outcome"])


def signed(webhook, now):
    """The headers of a delivery: both sets of the contract, over the very bytes that are posted."""
    secret, timestamp = webhook.environment.signing_secret, str(int(now.timestamp()))
    event_id = str(webhook.event_id)
    legacy = hmac.new(secret.encode(), f"{timestamp}.{webhook.body}".encode(), hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": Webhook(secret).sign(event_id, now, webhook.body),
        "X-Webhook-Event": webhook.event_type,
        "X-Webhook-Subscription-ID": str(webhook.environment_id),
        "X-Webhook-Timestamp": timestamp,
        "X-Webhook-Signature": legacy,
    }
