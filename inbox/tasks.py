import threading
from datetime import timedelta

import structlog
from celery import shared_task
from django.utils import timezone

from inbox import line_health, line_signs, media, models
from inbox.analytics import rollup
from lines import gateways
from lines.models import Environment, Line
from partyline.wake import wake

__all__ = [
    "check_figures",
    "fetch_media",
    "fetch_media_due",
    "keep_figures",
    "keep_line_health",
    "learn_capability",
    "look_for_signs",
    "make_previews",
    "remove_files",
    "remove_unused_uploads",
    "run_errand",
    "run_errands_due",
    "send_chat",
    "send_due",
    "send_scheduled",
    "send_scheduled_due",
    "share_cards_due",
    "show_typing",
    "wake",
    "wake_snoozed_due",
]

log = structlog.get_logger()

UNUSED_FOR = timedelta(days=1)
# Chats that one sweep wakes.
SWEPT = 200
# Both services, and each once more where somebody else asked the carrier first.
CAPABILITY_TRIES = 5
# Previews that one worker makes at the same time: they take a processor each, and messages must not wait for them.
preview_places = threading.BoundedSemaphore(2)


@shared_task
def send_chat(chat_id):
    """Let what waits in this chat leave, oldest first."""
    while message := models.Message.claim_next(chat_id):
        message.leave()


@shared_task
def send_due():
    """The sweep: every chat in which something is due, whoever forgot to wake us."""
    due = models.Message.due_to_leave().order_by("next_try_at")
    for chat in due.values_list("chat_id", flat=True)[:SWEPT]:
        send_chat.delay(str(chat))


@shared_task(expires=10)
def show_typing(chat_id, ended):
    chat = models.Chat.objects.select_related("environment").get(pk=chat_id)
    try:
        gateway = gateways.for_environment(chat.environment)
        (gateway.stop_typing if ended else gateway.start_typing)(chat.external_id)
    except (gateways.TemporaryFailure, gateways.PermanentFailure) as failure:
        log.info("typing_not_shown", chat=chat_id, reason=failure.reason)


@shared_task
def remove_unused_uploads():
    """What was uploaded a day ago and never sent."""
    unused = models.Attachment.objects.unused().filter(created_at__lt=timezone.now() - UNUSED_FOR)
    for attachment in unused[:500]:
        attachment.remove_unused()


@shared_task
def send_scheduled(pk):
    """Woken early, late, twice or for nothing: what is not due stays as it is."""
    if scheduled := models.ScheduledSend.objects.filter(pk=pk).first():
        scheduled.leave()


@shared_task
def send_scheduled_due():
    for pk in models.ScheduledSend.objects.due().order_by("send_at").values_list("pk", flat=True)[:200]:
        send_scheduled.delay(str(pk))


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
def share_cards_due():
    models.Chat.share_cards_due()


@shared_task(expires=5)
def wake_snoozed_due():
    models.Chat.wake_due()


@shared_task(expires=60)
def keep_figures():
    rollup.follow_all()


@shared_task(expires=600)
def keep_line_health():
    for environment in Environment.objects.order_by("pk"):
        line_health.keep(environment)


@shared_task(expires=120)
def look_for_signs():
    for environment in Environment.objects.order_by("pk"):
        line_signs.look(environment)


@shared_task
def check_figures():
    for environment in Environment.objects.order_by("pk"):
        rollup.check(environment)


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


@shared_task
def make_previews():
    """Make all that are due. Who finds no place free leaves: each that has one looks again before it goes."""
    while models.Attachment.waiting_for_previews().exists() and preview_places.acquire(blocking=False):
        try:
            if attachment := models.Attachment.claim_preview():
                attachment.make_preview()
        finally:
            preview_places.release()


@shared_task
def remove_files():
    """The bytes of deleted files that could not be removed at once."""
    for attachment in models.Attachment.with_bytes_to_remove().order_by("deleted_at")[:100]:
        attachment.remove_bytes()


@shared_task(expires=60)
def learn_capability(handle_id, line_id, service="iMessage", tries=1):
    """A question for each service, as far apart as the carrier allows."""
    handle, line = models.Handle.objects.get(pk=handle_id), Line.objects.get(pk=line_id)
    further = handle.learn_capability(line, service)
    if further and tries < CAPABILITY_TRIES:
        service, wait = further
        wake(learn_capability, handle_id, line_id, service, tries + 1, countdown=wait)
    elif further:
        handle.answered(None)
