"""Who we are, told to the people of a chat: the line's contact card where there is iMessage, a file everywhere else."""

from datetime import timedelta
from uuid import uuid4

from django.core.files.base import ContentFile
from django.db import models, transaction
from django.utils import timezone

from inbox.models.content import Content
from inbox.models.errand import Errand
from inbox.models.refusing import Refused
from lines.models import BlockedHandle, ContactCard, Line, OptOut
from lines.vcard import filename_of, vcard_for

# The carrier shows the card to a chat once in this time at most.
AGAIN_AFTER = timedelta(minutes=5)
# By itself: to chats with a message in the last minutes, and to each once a day or when the card has changed.
ACTIVE, DAILY = timedelta(minutes=5), timedelta(hours=24)
# Chats that get it by themselves at one time; the others a minute later.
MOST = 500


class Introducing(models.Model):
    """The ability of a chat to be given our contact card."""

    class Meta:
        abstract = True

    def why_not_share_card(self):
        """Why the card cannot be shared here now, as a Refused; None where it can."""
        return self.why_no_card_fits() or self.why_card_is_missing() or self.why_not_now()

    def why_no_card_fits(self):
        if self.service in ("RCS", "SMS"):
            return Refused(
                2017,
                f"The contact card is for iMessage only, and this is {self.service}. Send the .vcf instead.",
            )
        if self.line_left_at:
            return Refused(2013, f"{self.line} has left this group.")
        if self.last_outbound_at is None:
            return Refused(2015, "The contact card can be shared once we have written to them.")
        if self.external_id is None:
            return Refused(2009, "The conversation is still being made. Try again in a moment.")
        return None

    def why_card_is_missing(self):
        card = ContactCard.of(self.line)
        if card._state.adding:
            return Refused(2012, f"{self.line} has no contact card yet. An admin can make one.")
        if not card.is_active and card.failed_at:
            return Refused(2012, f"The carrier refused the contact card of {self.line}: {card.error}")
        if not card.is_active:
            return Refused(2012, f"The carrier is still being given the contact card of {self.line}.")
        return None

    def why_not_now(self):
        verdict = self.verdict()
        if verdict.refused:
            return Refused(verdict.code, f"{verdict.reason}. {verdict.remedy}".strip())
        now = timezone.now()
        if self.card_shared_at and now < self.card_shared_again_at:
            minutes = int((now - self.card_shared_at).total_seconds() // 60)
            when = f"{minutes} min ago" if minutes else "just now"
            until = timezone.localtime(self.card_shared_again_at)
            return Refused(1007, f"Shared {when}; again at {until:%H:%M}.", until=self.card_shared_again_at)
        return None

    @property
    def card_shared_again_at(self):
        """From when on the card may be shared again; None where it never was."""
        return self.card_shared_at and self.card_shared_at + AGAIN_AFTER

    @property
    def seconds_until_card(self):
        """Until card_shared_again_at, and a little."""
        return int((self.card_shared_again_at - timezone.now()).total_seconds()) + 1

    @transaction.atomic
    def share_card(self, *, by=None):
        """Have them shown the card of our line; returns the Errand. Raises Refused. `by` is None where it goes by
        itself. Asked twice at once it is shared once."""
        type(self).objects.select_for_update().get(pk=self.pk)
        self.refresh_from_db()
        self.refuse_if(self.why_not_share_card())
        return self.give_card(self.line.contact_card.accepted_edition, by=by)

    def give_card(self, edition, *, by):
        """Called with the chat locked, and where nothing is against it."""
        now = timezone.now()
        before = {"at": self.card_shared_at and self.card_shared_at.isoformat(), "edition": self.card_edition}
        self.card_shared_at, self.card_edition = now, edition
        self.save(update_fields=["card_shared_at", "card_edition"])
        return Errand.queue(
            Errand.Kind.SHARE_CARD, self, by=by, at=now.isoformat(), edition=edition, before=before
        )

    def share_card_after(self, message):
        """A message of ours was accepted: who is new is told who we are. Called with the chat locked."""
        if not self.service and message.service:
            self.service = message.service
            self.save(update_fields=["service"])
        now = timezone.now()
        if self.is_group or (self.card_shared_at and now < self.card_shared_again_at):
            return
        if due := due_for_card(now, [self.line_id]).filter(pk=self.pk).first():
            due.give_card(due.edition, by=None)

    @classmethod
    @transaction.atomic
    def share_cards_due(cls):
        """Give the card by itself to the chats where something was said lately, up to MOST of them."""
        now = timezone.now()
        due = lately_active(due_for_card(now, sharing_lines()), now)
        due = due.select_for_update(of=("self",), skip_locked=True).order_by("last_activity_at", "pk")
        for chat in due[:MOST]:
            chat.give_card(chat.edition, by=None)

    @property
    def fresh_key(self):
        """For a button that sends: pressed twice, it sends once."""
        return uuid4()

    @transaction.atomic
    def send_contact_file(self, *, by, key=None):
        """Send the line's contact as a .vcf, for phones that are offered no card; returns the Message."""
        if key and (known := self.messages.filter(idempotency_key=key).first()):
            return known
        from inbox.models.attachment import Attachment

        upload = ContentFile(vcard_for(self.line), name=filename_of(self.line))
        file = Attachment.keep(self.environment, upload, by=by)
        return self.send(by=by, content=Content([{"attachment": file}]), key=key)


def sharing_lines():
    """The ids of the lines that share a card by themselves, fetched first so that the chats' index is used."""
    lines = Line.objects.filter(shares_card=True, contact_card__accepted_edition__gt=0)
    return list(lines.values_list("pk", flat=True))


def lately_active(chats, now):
    """Those with a message since ACTIVE; by the activity, and every status, an index finds them."""
    chats = chats.filter(last_activity_at__gt=now - ACTIVE, last_message_at__gt=now - ACTIVE)
    return chats.filter(status__in=chats.model.Status.values)


def due_for_card(now, lines):
    """The chats of these lines to which the card may go by itself, each with the `edition` that it is to get: with
    one person, on iMessage, after a message of ours has left; never where it is unwanted or was just refused."""
    from inbox.models.chat import Chat
    from inbox.models.message import Message

    edition = models.F("line__contact_card__accepted_edition")
    due = models.Q(card_shared_at=None) | models.Q(card_shared_at__lte=now - DAILY)
    due |= models.Q(card_edition__lt=edition, card_shared_at__lte=now - AGAIN_AFTER)
    left = Message.objects.filter(chat=models.OuterRef("pk"), direction="outbound", failed_at=None)
    left = left.exclude(accepted_at=None, sent_at=None)
    refused = Errand.objects.filter(
        chat=models.OuterRef("pk"), kind=Errand.Kind.SHARE_CARD, failed_at__gt=now - DAILY
    )
    theirs = {"environment": models.OuterRef("environment"), "handle": models.OuterRef("participants_key")}
    unwanted = (OptOut.objects.active().filter(**theirs), BlockedHandle.objects.filter(**theirs))
    return (
        Chat.objects.filter(
            due, line__in=lines, line__shares_card=True, line__contact_card__accepted_edition__gt=0
        )
        .filter(is_group=False, service="iMessage", external_id__isnull=False, last_outbound_at__isnull=False)
        .exclude(line__status=Line.Status.PAUSED)
        .filter(models.Exists(left), ~models.Exists(refused), *(~models.Exists(rows) for rows in unwanted))
        .annotate(edition=edition)
        .select_related("line", "environment")
    )
