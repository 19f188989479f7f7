from datetime import timedelta

from celery import shared_task
from django.utils import timezone

RETENTION_LASTS = timedelta(minutes=5)


@shared_task
def apply_receipts():
    """Apply what carriers have sent, until nothing is due."""
    from webhooks import apply

    apply.apply_pending()


@shared_task
def fetch_quoted(environment_id, message_id):
    """A message that others answer and that we do not know; without it they show an empty quote."""
    from inbox.models import Message
    from lines.models import Environment
    from webhooks import apply

    environment = Environment.objects.get(pk=environment_id)
    if not Message.objects.filter(environment=environment, external_id=message_id).exists():
        apply.fetch_message(environment, message_id)


@shared_task
def fetch_awaited():
    """Ask the carrier for messages that receipts have waited for too long."""
    from webhooks import apply

    apply.fetch_awaited()


@shared_task
def compare(pk):
    """Go on with a comparison for some seconds."""
    from webhooks.comparing import worker

    worker.work(pk)


@shared_task
def compare_due():
    """The sweep: every comparison that nobody goes on with."""
    from webhooks.models import Comparison

    for pk in Comparison.objects.due().order_by("next_step_at").values_list("pk", flat=True)[:50]:
        compare.delay(pk)


@shared_task
def watch_accounts():
    """Begin the comparisons for which it is time."""
    from webhooks.comparing import watch

    watch.watch_all()


@shared_task
def pause_failing():
    """Subscriptions whose owner wants them paused when nothing arrives for days."""
    from webhooks.models import Subscription

    Subscription.pause_failing()


@shared_task
def apply_retention():
    """Remove what is older than its environment wants to keep; what is left after five minutes waits for the next time."""
    from webhooks.models import Retention

    Retention.apply_all(until=timezone.now() + RETENTION_LASTS)
