"""What an account has besides conversations: its numbers, whom it blocks, its cards, and what it posts to us."""

import tempfile

import httpx
import structlog
from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import transaction
from django.utils import timezone

from inbox import media, mirror
from inbox.mirror import LineNews
from inbox.models.contact import same_handle
from lines.models import ContactCard
from lines.pictures import MOST_BYTES, picture_of
from webhooks.handlers import WANTED
from webhooks.models import Repair
from webhooks.models.comparison import Comparison

log = structlog.get_logger()


def look(comparison, gateway):
    """Once in each comparison, before the conversations."""
    environment = comparison.environment
    learn_numbers(comparison, gateway.list_numbers())
    check_subscription(comparison, gateway)
    learn_blocked(environment, gateway.list_blocked())
    if comparison.is_import:
        learn_cards(environment, gateway.list_cards(), gateway)


@transaction.atomic
def learn_numbers(comparison, numbers):
    """A number that the account has no more was released or moved elsewhere; it may come back."""
    environment, now = comparison.environment, timezone.now()
    account = environment.account
    account.numbers, account.checked_at = numbers, now
    account.save(update_fields=["numbers", "checked_at"])
    told, news = {number["phone_number"]: number for number in numbers}, []
    for line in environment.lines.exclude(external_id=None):
        number = told.get(line.phone_number)
        reputation = ((number or {}).get("reputation") or {}).get("status") or line.reputation
        is_back = number and line.carrier_status == "RELEASED"
        if number is None and line.carrier_status != "RELEASED":
            news.append(LineNews(line.phone_number, "RELEASED", now, type="phone_number.released"))
        elif is_back or (number and reputation != line.reputation):
            status = "ACTIVE" if is_back else line.carrier_status
            kind = "phone_number.assigned" if is_back else "phone_number.status_updated"
            news.append(LineNews(line.phone_number, status, now, reputation=reputation, type=kind))
        else:
            continue
        note(comparison, Repair.What.LINE, line=line, detail=news[-1].status.lower())
    if news:
        mirror.learn(environment, news)


def check_subscription(comparison, gateway):
    """Whether the account still posts to us. Where it does not, it shall again, and what it did not post is looked for."""
    account = comparison.environment.account
    if not account.subscription_id:
        return
    found = gateway.fetch_subscription(account.subscription_id)
    if found is None:
        account.subscribe(WANTED, by=None)
        note(comparison, Repair.What.SUBSCRIPTION, detail="it was deleted")
    elif not found.get("is_active", True):
        gateway.change_subscription(account.subscription_id, is_active=True)
        note(comparison, Repair.What.SUBSCRIPTION, detail="it was disabled")
    elif set(found.get("phone_numbers") or []) != set(account.chosen_numbers):
        gateway.change_subscription(account.subscription_id, phone_numbers=account.chosen_numbers)
        return
    else:
        return
    newest = comparison.environment.receipts.order_by("-id").values_list("received_at", flat=True).first()
    since = (newest or account.subscribed_at) - Comparison.MARGIN
    if comparison.since and since < comparison.since:
        Comparison.objects.filter(pk=comparison.pk).update(since=since, lists_all=True)
        comparison.since, comparison.lists_all = since, True


@transaction.atomic
def learn_blocked(environment, blocked):
    """The account is right: whom it blocks is blocked here, and nobody else."""
    told = {same_handle(one["handle"]): one for one in blocked}
    here = {block.handle: block for block in environment.blocked_handles.all()}
    for handle in sorted(told.keys() - here.keys()):
        reason = told[handle].get("reason") or ""
        environment.blocked_handles.create(
            handle=handle, reason=reason[:200], blocked_at=told[handle]["blocked_at"]
        )
        environment.record("inbox.handle_blocked", data={"handle": handle, "reason": reason[:200]})
    for handle in sorted(here.keys() - told.keys()):
        if here[handle].blocked_at < timezone.now() - timezone.timedelta(minutes=1):
            here[handle].delete()
            environment.record("inbox.handle_unblocked", data={"handle": handle})


def learn_cards(environment, cards, gateway):
    """The cards of lines that have none here; nothing goes back to the account."""
    told = {card["phone_number"]: card for card in cards if card.get("is_active", True)}
    for line in environment.lines.filter(phone_number__in=told, contact_card=None):
        card = told[line.phone_number]
        picture = picture_at(card.get("image_url"), gateway.media_hosts())
        with transaction.atomic():
            ContactCard.adopt(
                line,
                first_name=card["first_name"][:60],
                last_name=(card.get("last_name") or "")[:60],
                picture=picture,
            )


def picture_at(url, known_hosts):
    """The picture of a card, or None where it cannot be had."""
    if not url:
        return None
    try:
        with tempfile.TemporaryFile() as copy:
            media.download(url, known_hosts, copy, limit=MOST_BYTES)
            return picture_of(File(copy, name="card"))
    except (media.Refused, httpx.HTTPError, OSError, ValidationError) as error:
        log.info("card_picture_not_fetched", reason=str(error))
        return None


def note(comparison, what, *, line=None, detail=""):
    Repair.objects.create(comparison=comparison, what=what, line=line, detail=detail)
