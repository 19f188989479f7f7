from celery import shared_task

from lines.sandbox import outbox


@shared_task
def post_sandbox_webhooks():
    """Post what the sandbox carrier has to tell, until nothing is due within a second."""
    outbox.post_due()
