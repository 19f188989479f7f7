"""Where the people of a conversation are, as far as they let us know (contract §6.10)."""

from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone

from inbox.models.errand import Errand
from inbox.models.location import LocationShare
from inbox.models.refusing import Refused
from lines.gateways import PermanentFailure, TemporaryFailure
from partyline import limits

# Each request makes their phone ring; seconds.
ASK_EVERY = 300
# People of one chat whose place is asked for.
MOST = 32


class Locating(models.Model):
    """The ability of a chat to ask somebody where they are, and to end that."""

    class Meta:
        abstract = True

    def shares(self):
        """Of those who are in it now and share their place with our line, in whichever conversation that began."""
        handles = [handle.pk for handle in self.others]
        shares = LocationShare.objects.live().filter(handle__in=handles, chat__line=self.line_id)
        return shares.select_related("handle", "chat__environment").order_by("handle", "-began_at")

    def why_not_ask_location(self):
        """A Refused, or None where they can be asked for their place."""
        if self.is_group:
            return Refused(2016, "In a group nobody can be asked for their location.")
        if self.service != "iMessage":
            kind = f"this is {self.service}" if self.service else "this one is not known to be iMessage"
            return Refused(2017, f"Locations are shared on iMessage only; {kind}.")
        if refusal := self.why_no_signal():
            return refusal
        if self.shares().exists():
            return Refused(2015, "They are sharing their location already.")
        return None

    @transaction.atomic
    def ask_location(self, *, by):
        """Ask them to share their location; they may not. Once in five minutes. Raises Refused."""
        type(self).objects.select_for_update(no_key=True).get(pk=self.pk)
        self.refuse_if(self.why_not_ask_location())
        if wait := limits.spend(f"location-{self.pk}", within=ASK_EVERY):
            until = timezone.now() + timedelta(seconds=wait)
            again = f"{timezone.localtime(until):%H:%M}"
            raise Refused(1007, f"They were asked just now; again at {again}.", until=until)
        errand = Errand.queue(Errand.Kind.ASK_LOCATION, self, by=by)
        self.environment.record("inbox.location_requested", chat=self, by=by)
        return errand

    @transaction.atomic
    def stop_location(self, address, *, by):
        """Ask to end what somebody shares with our line, in every conversation with them; the carrier tells when it is
        over. None where they share nothing, the errand that is under way where it was asked for already."""
        type(self).objects.select_for_update(no_key=True).get(pk=self.pk)
        self.refuse_if(self.why_no_signal())
        if not self.shares().filter(handle__value=address).exists():
            return None
        asked = self.errands.filter(kind=Errand.Kind.STOP_LOCATION, body__handle=address).expected()
        if errand := asked.first():
            return errand
        errand = Errand.queue(Errand.Kind.STOP_LOCATION, self, by=by, handle=address)
        self.environment.record("inbox.location_stop_asked", chat=self, by=by, data={"handle": address})
        return errand

    def locate(self, *, by):
        """Their shares with a place, asked for where nobody asked just now; where the carrier does not answer, as they
        were known last."""
        newest = {}
        for share in self.shares()[:MOST]:
            newest.setdefault(share.handle_id, share)
        for share in newest.values():
            try:
                share.ask(by=by)
            except (TemporaryFailure, PermanentFailure):
                continue
        return [share for share in newest.values() if share.is_live and share.place]
