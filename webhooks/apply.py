"""From receipts to rows: claim a batch, learn it in one transaction, mark what became of each receipt."""

import json
import traceback
from datetime import timedelta
from itertools import groupby

import structlog
from django.db import OperationalError, transaction
from django.db.models import Min
from django.utils import timezone

from inbox import mirror, tasks
from inbox.models import Chat, LocationShare, Message
from lines import gateways
from lines.models import Account, Environment
from partyline.wake import wake
from webhooks.handlers import HANDLERS
from webhooks.models import Receipt

log = structlog.get_logger()

BATCH = 400
MAX_TRIES = 6
AWAIT_FETCH = timedelta(seconds=15)
# What belongs to a conversation that nobody has begun yet is looked at so often.
AWAIT_CHAT = timedelta(hours=6)
# Seconds: a message that others answer is often told right after them.
QUOTED_AFTER = 5


def apply_pending():
    """Apply whatever is due, batch after batch; returns how many receipts were dealt with."""
    total = 0
    while count := apply_batch():
        total += count
    return total


def apply_batch():
    """One batch in one transaction. If anything in it fails, each receipt is tried alone, so that one bad
    receipt holds up nobody but its own chat."""
    claimed = []
    try:
        with transaction.atomic():
            claimed = claim()
            apply_receipts(claimed)
    except OperationalError:
        # A deadlock or a lost connection says nothing about the receipts; the sweep comes back for them.
        log.warning("apply_interrupted", receipts=len(claimed), exc_info=True)
        return 0
    except Exception:  # whatever is wrong with one of them, the others go on
        log.info("apply_one_by_one", receipts=len(claimed))
        for receipt in claimed:
            apply_alone(receipt.pk)
    return len(claimed)


def claim():
    """Lock what is due, oldest first, leaving out what stands behind another receipt of its chat that we do not
    hold: locked by another worker, or waiting for its next try."""
    due = Receipt.objects.pending().filter(next_try_at__lte=timezone.now()).order_by("pk")
    claimed = list(due.select_for_update(skip_locked=True)[:BATCH])
    return in_order(claimed)


def in_order(claimed):
    keys = {receipt.chat_key for receipt in claimed if receipt.chat_key}
    if not keys:
        return claimed
    ahead = Receipt.objects.pending().filter(
        environment__in={receipt.environment_id for receipt in claimed},
        chat_key__in=keys,
        pk__lt=claimed[-1].pk,
    )
    ahead = ahead.exclude(pk__in=[receipt.pk for receipt in claimed])
    first = {
        (environment, key): pk
        for environment, key, pk in ahead.order_by()
        .values("environment", "chat_key")
        .annotate(first=Min("pk"))
        .values_list("environment", "chat_key", "first")
    }
    return [r for r in claimed if r.pk < first.get((r.environment_id, r.chat_key), r.pk + 1)]


def apply_receipts(receipts):
    """Learn from these receipts and write down what became of each; inside a transaction."""
    environments = Environment.objects.in_bulk({receipt.environment_id for receipt in receipts})
    by_environment = sorted(receipts, key=lambda receipt: (receipt.environment_id, receipt.pk))
    for pk, receipts_of_one in groupby(by_environment, key=lambda receipt: receipt.environment_id):
        environment, group = environments[pk], list(receipts_of_one)
        told = [(receipt, news) for receipt in group for news in read(receipt)]
        understood = {receipt.pk for receipt, _ in told}
        kept = [receipt.pk for receipt in group if receipt.pk not in understood]
        learned = mirror.learn(environment, [news for _, news in told])
        awaiting = {told[index][0].pk: awaited for index, awaited in learned.awaits.items()}
        settle(environment, understood, kept, awaiting, learned)
        if environment.carrier == Environment.Carrier.LINQ:
            hear(environment, group[0])


def hear(environment, receipt):
    """The first event of an account shows that it reaches us."""
    unheard = Account.objects.filter(
        environment=environment, heard_at=None, subscribed_at__lte=receipt.received_at
    )
    if account := unheard.first():
        account.environment = environment
        account.hear(receipt.received_at)


def read(receipt):
    """What a receipt tells: one piece of news, several, or nothing that we could know more by.

    PostgreSQL keeps no NUL and no half characters, so those are left out or replaced."""
    handler = HANDLERS.get(receipt.event_type)
    if handler is None:
        return []
    event = json.loads(receipt.body)
    if "\\u" in receipt.body:
        event = storable(event)
    told = handler(event)
    news = told if isinstance(told, list) else [] if told is None else [told]
    for item in news:
        item.trace_id = receipt.trace_id
    return news


def storable(value):
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return value


def settle(environment, understood, kept, awaiting, learned):
    now = timezone.now()
    applied = understood - awaiting.keys()
    Receipt.objects.filter(pk__in=applied).update(state="applied", applied_at=now, error="")
    if kept:
        Receipt.objects.filter(pk__in=kept).update(state="kept", error="")
    for pk, awaited in awaiting.items():
        Receipt.objects.filter(pk=pk).update(state="awaiting", awaits=awaited, next_try_at=now + AWAIT_FETCH)
    follow(environment, learned)


def follow(environment, learned):
    """What can go on now, and what has to be fetched."""
    from webhooks.tasks import apply_receipts, fetch_quoted

    if learned.created:
        waited = Receipt.objects.filter(environment=environment, state="awaiting", awaits__in=learned.created)
        if waited.update(state="pending", next_try_at=timezone.now()):
            wake(apply_receipts)
    for attachment in learned.media:
        wake(tasks.fetch_media, str(attachment.pk))
    for message_id in sorted(learned.quoted):
        wake(fetch_quoted, str(environment.pk), message_id, countdown=QUOTED_AFTER)


def apply_alone(pk):
    try:
        with transaction.atomic():
            receipt = Receipt.objects.pending().select_for_update(skip_locked=True).filter(pk=pk).first()
            # An earlier one of its chat may just have failed.
            if receipt and in_order([receipt]):
                apply_receipts([receipt])
    except OperationalError:
        log.warning("apply_interrupted", receipts=1, exc_info=True)
    except Exception as error:  # anything: it is written down for an admin, and retried
        note_failure(pk, error)


def note_failure(pk, error):
    """Retry with backoff (2, 4, 8 … s), then park, where an admin sees the traceback; a parked receipt blocks nobody."""
    receipt = Receipt.objects.get(pk=pk)
    receipt.tries += 1
    receipt.error = "".join(traceback.format_exception(error))[-8000:]
    receipt.next_try_at = timezone.now() + timedelta(seconds=2**receipt.tries)
    if receipt.tries >= MAX_TRIES:
        receipt.state = Receipt.State.PARKED
    receipt.save(update_fields=["tries", "error", "next_try_at", "state"])
    log.warning("receipt_failed", receipt=pk, tries=receipt.tries, state=receipt.state, error=str(error))


def fetch_awaited():
    """Receipts about messages that we do not know: look again, then ask the carrier for the message."""
    due = Receipt.objects.filter(state="awaiting", next_try_at__lte=timezone.now()).order_by("pk")
    for receipt in due.select_related("environment")[:100]:
        if is_known(receipt) or fetch(receipt):
            Receipt.objects.filter(pk=receipt.pk, state="awaiting").update(
                state="pending", next_try_at=timezone.now()
            )
        elif receipt.awaited[0] == "direct":
            # No carrier knows a chat by its people; it is there as soon as anybody writes.
            receipt.next_try_at = timezone.now() + AWAIT_CHAT
            receipt.save(update_fields=["next_try_at"])
        else:
            receipt.tries += 1
            receipt.next_try_at = timezone.now() + AWAIT_FETCH * 2**receipt.tries
            if receipt.tries >= MAX_TRIES:
                receipt.state = Receipt.State.PARKED
                receipt.error = f"The carrier does not know {receipt.wants} either"
            receipt.save(update_fields=["tries", "next_try_at", "state", "error"])
    return apply_pending()


def is_known(receipt):
    kind, external_id = receipt.awaited
    if kind == "direct":
        number, _, person = external_id.partition(" ")
        theirs = Chat.objects.filter(environment=receipt.environment, line__phone_number=number)
        shares = LocationShare.objects.filter(chat__in=theirs, handle__value=person)
        direct = theirs.filter(participants_key=person, is_group=False).exclude(external_id=None)
        return direct.exists() or shares.exists()
    found = (Chat if kind == "chat" else Message).objects.filter(environment=receipt.environment)
    return found.filter(external_id=external_id).exists()


def fetch(receipt):
    kind, external_id = receipt.awaited
    if kind == "direct":
        return False
    return (fetch_chat if kind == "chat" else fetch_message)(receipt.environment, external_id)


def fetch_message(environment, message_id):
    """Learn one message from the carrier's API; False where it cannot be had now."""
    gateway = gateways.for_environment(environment)
    try:
        data = gateway.fetch_message(message_id)
        chat = data and gateway.fetch_chat(data["chat_id"])
    except (gateways.TemporaryFailure, gateways.PermanentFailure) as failure:
        log.warning("fetch_message_failed", message=message_id, reason=failure.reason)
        return False
    if not data or not chat:
        return False
    from webhooks import rest

    learn(environment, [rest.chat(chat), rest.message(data, chat)])
    return True


def fetch_chat(environment, chat_id):
    """Learn one chat from the carrier's API; False where it cannot be had now."""
    try:
        chat = gateways.for_environment(environment).fetch_chat(chat_id)
    except (gateways.TemporaryFailure, gateways.PermanentFailure) as failure:
        log.warning("fetch_chat_failed", chat=chat_id, reason=failure.reason)
        return False
    if chat:
        from webhooks import rest

        learn(environment, [rest.chat(chat)])
    return bool(chat)


@transaction.atomic
def learn(environment, news):
    """What was asked of the carrier: told to nobody else, so what waited for it is woken here."""
    follow(environment, mirror.learn(environment, news))
