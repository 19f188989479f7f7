from celery import shared_task
from django.db.models import Min, Q
from django.utils import timezone

from inbox import media, models
from inbox.models.sending import CLAIM_LASTS
from partyline.wake import wake

__all__ = ["fetch_media", "fetch_media_due", "run_errand", "run_errands_due", "send_chat", "send_due", "wake"]


@shared_task
def send_chat(chat_id):
    """Let what waits in this chat leave, oldest first."""
    while message := models.Message.claim_next(chat_id):
        message.leave()


@shared_task
def send_due():
    """The sweep: every chat in which something is due, whoever forgot to wake us."""
    due = models.Message.waiting_to_leave().filter(next_try_at__lte=timezone.now())
    stale = timezone.now() - CLAIM_LASTS
    due = due.filter(Q(claimed_at=None) | Q(claimed_at__lt=stale))
    longest = due.values("chat_id").annotate(since=Min("next_try_at")).order_by("since")
    for chat in longest[:200]:
        send_chat.delay(str(chat["chat_id"]))


@shared_task
def run_errand(pk):
    if errand := models.Errand.claim(pk):
        errand.run()


@shared_task
def run_errands_due():
    due = models.Errand.objects.waiting().filter(next_try_at__lte=timezone.now()).order_by("pk")
    for pk in due.values_list("pk", flat=True)[:200]:
        run_errand.delay(pk)


@shared_task
def fetch_media(attachment_id):
    media.fetch(models.Attachment.objects.get(pk=attachment_id))


@shared_task
def fetch_media_due():
    due = models.Attachment.objects.filter(state="pending", next_try_at__lte=timezone.now())
    for attachment_id in (
        due.exclude(source_url="").order_by("next_try_at").values_list("pk", flat=True)[:100]
    ):
        fetch_media.delay(str(attachment_id))
