from smtplib import SMTPException

import structlog
from celery import shared_task

from lines import mailing, models
from lines.sandbox import outbox
from partyline.wake import wake

__all__ = [
    "end_warming_due",
    "mail_line_alert",
    "mail_line_alerts_due",
    "post_sandbox_webhooks",
    "put_contact_card",
    "put_contact_cards_due",
    "tell_of_expired_keys",
    "wake",
]

log = structlog.get_logger()


@shared_task
def mail_line_alert(pk):
    """Tell its people of an alert. What the mail server did not take is tried again by the sweep."""
    if alert := models.LineAlert.claim(pk):
        try:
            alert.mailed(mailing.mail_alert(alert))
        except (SMTPException, OSError) as failure:
            log.warning("alert_not_mailed", alert=str(alert.pk), error=str(failure))


@shared_task
def mail_line_alerts_due():
    for pk in models.LineAlert.objects.to_mail().order_by("since").values_list("pk", flat=True)[:200]:
        mail_line_alert.delay(str(pk))


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
