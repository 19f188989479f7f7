from celery import shared_task

from lines import models
from lines.sandbox import outbox
from partyline.wake import wake

__all__ = [
    "end_warming_due",
    "post_sandbox_webhooks",
    "put_contact_card",
    "put_contact_cards_due",
    "tell_of_expired_keys",
    "wake",
]


@shared_task
def post_sandbox_webhooks():
    """Post what the sandbox carrier has to tell, until nothing is due within a second."""
    outbox.post_due()


@shared_task
def put_contact_card(pk):
    if card := models.ContactCard.claim(pk):
        card.put()


@shared_task
def put_contact_cards_due():
    """The sweep: every card of which a carrier is still to be told."""
    due = models.ContactCard.objects.due().order_by("next_try_at")
    for pk in due.values_list("pk", flat=True)[:200]:
        put_contact_card.delay(str(pk))


@shared_task
def tell_of_expired_keys():
    models.ApiToken.tell_expired()


@shared_task
def end_warming_due():
    models.Line.end_warming_due()
