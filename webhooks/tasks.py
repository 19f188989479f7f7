from celery import shared_task


@shared_task
def apply_receipts():
    """Apply what carriers have sent, until nothing is due."""
    from webhooks import apply

    apply.apply_pending()


@shared_task
def fetch_awaited():
    """Ask the carrier for messages that receipts have waited for too long."""
    from webhooks import apply

    apply.fetch_awaited()
