"""What can be asked of a group: the carrier says later, by a webhook, whether it came to be."""

from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone
from django.utils.functional import cached_property

from inbox.models.errand import Errand
from inbox.models.refusing import Refused

NAME_LENGTH = 100
# With our line counted: so many must be there to add somebody, to stay when one is removed, and to leave.
ADD_FROM, REMOVE_TO, LEAVE_FROM = 3, 3, 4
MOST = 32
# So long the page tells what the carrier did not do.
TOLD_FOR = timedelta(hours=1)
LATELY = 60

Kind = Errand.Kind
GROUP = (Kind.NAME, Kind.ICON, Kind.ADD, Kind.REMOVE, Kind.LEAVE)


class Group(models.Model):
    """The ability of a chat with several people to change its name, its icon and its members."""

    class Meta:
        abstract = True

    @property
    def size(self):
        return len(self.others) + 1

    @cached_property
    def asked_lately(self):
        """The newest errand of each kind and person, newest first."""
        errands = self.errands.filter(kind__in=GROUP)
        errands = errands.filter(queued_at__gt=timezone.now() - TOLD_FOR).select_related("author")
        newest = {}
        for errand in errands.order_by("-pk")[:LATELY]:
            newest.setdefault((errand.kind, errand.body.get("handle")), errand)
        return list(newest.values())

    @property
    def asked(self):
        """What the carrier may still say yes or no to."""
        return [errand for errand in self.asked_lately if errand.is_expected]

    def asked_for(self, kind, **body):
        return next((errand for errand in self.asked if errand.kind == kind and errand.body == body), None)

    def count_asked(self, kind):
        return sum(errand.kind == kind for errand in self.asked)

    def why_not_change(self):
        """Why nothing can be changed in this group, as a Refused; None where it can."""
        if refusal := self.why_not_rename():
            return refusal
        if self.external_id is None:
            return Refused(2009, "The group is still being made. Try again in a moment.")
        return None

    def why_not_rename(self):
        """A group that is still being made can have a name already: it gets it once it is there."""
        if not self.is_group:
            return Refused(1006, "That is for groups only.")
        if self.line_left_at:
            return Refused(2013, f"{self.line} has left this group.")
        if self.asked_for(Kind.LEAVE):
            return Refused(2013, f"{self.line} is leaving this group.")
        if self.line.status == self.line.Status.PAUSED:
            return Refused(2027, f"{self.line} is paused.")
        return None

    def why_not_alter_members(self):
        if refusal := self.why_not_change():
            return refusal
        if self.service == "SMS":
            return Refused(
                2017,
                "A group text (MMS) keeps its members. Start a new conversation with the people you want.",
            )
        return None

    def why_not_add(self):
        if refusal := self.why_not_alter_members():
            return refusal
        if self.size < ADD_FROM:
            return Refused(
                2015, f"A group needs {ADD_FROM} members before somebody can be added. Start a new one."
            )
        if self.size + self.count_asked(Kind.ADD) >= MOST:
            return Refused(2015, f"A group has {MOST} members at most, our line among them.")
        return None

    def why_not_remove(self):
        if refusal := self.why_not_alter_members():
            return refusal
        if self.size - self.count_asked(Kind.REMOVE) - 1 < REMOVE_TO:
            return Refused(
                2015,
                f"At least {REMOVE_TO} members must stay. Start a new conversation with whom you want to keep.",
            )
        return None

    def why_not_leave(self):
        if refusal := self.why_not_change():
            return refusal
        if self.service != "iMessage":
            kind = f"this one is {self.service}" if self.service else "this one is not known to be one"
            return Refused(2017, f"A line can leave iMessage groups only; {kind}.")
        if self.size - self.count_asked(Kind.REMOVE) < LEAVE_FROM:
            return Refused(
                2015, f"A group can be left from {LEAVE_FROM} members on. Close the conversation instead."
            )
        return None

    @transaction.atomic
    def rename(self, name, *, by):
        """Ask for another name; until the carrier says yes the old one is shown."""
        name = " ".join(name.replace("\0", "").split())
        self.hold()
        self.refuse_if(self.why_not_rename())
        if not name or len(name) > NAME_LENGTH:
            raise Refused(1005, f"A name has 1 to {NAME_LENGTH} characters.")
        asked = next((errand.body["name"] for errand in self.asked if errand.kind == Kind.NAME), None)
        if name != (asked or self.display_name):
            return self.ask(Kind.NAME, by=by, name=name)

    @transaction.atomic
    def set_icon(self, attachment, *, by):
        """Ask for another icon, a stored image."""
        self.hold()
        self.refuse_if(self.why_not_change())
        if not attachment.mime_type.startswith("image/"):
            raise Refused(5006, f"{attachment.filename} is no picture.")
        return self.ask(Kind.ICON, by=by, attachment=str(attachment.pk))

    @transaction.atomic
    def add_member(self, address, *, by):
        """Ask for somebody to be added; `address` is a normal handle."""
        from inbox.models.contact import Handle

        self.hold()
        if any(handle.value == address for handle in self.others):
            raise Refused(2015, "They are in this group already.")
        if same := self.asked_for(Kind.ADD, handle=address):
            return same
        self.refuse_if(self.why_not_add())
        if address == self.line.phone_number:
            raise Refused(2015, f"{self.line} is in this group already.")
        handle = Handle.objects.filter(environment=self.environment_id, value=address).first()
        if handle and self.service and handle.can_get(self.service) is False:
            has = f"has {handle.reached_by}" if handle.reached_by else f"has no {self.service}"
            raise Refused(
                2017,
                f"{handle.name} {has}, and this is an {self.service} group. "
                "Start a new conversation to bring them in.",
            )
        return self.ask(Kind.ADD, by=by, handle=address)

    @transaction.atomic
    def add_members(self, addresses, *, by):
        """All of them are asked for, or nobody is."""
        return [self.add_member(address, by=by) for address in addresses]

    @transaction.atomic
    def remove_member(self, handle, *, by):
        self.hold()
        if all(other.pk != handle.pk for other in self.others):
            raise Refused(2015, f"{handle.name} is not in this group.")
        if same := self.asked_for(Kind.REMOVE, handle=handle.value):
            return same
        self.refuse_if(self.why_not_remove())
        return self.ask(Kind.REMOVE, by=by, handle=handle.value)

    @transaction.atomic
    def leave(self, *, by):
        """Ask to leave; afterwards nothing can be written here."""
        self.hold()
        if same := self.asked_for(Kind.LEAVE):
            return same
        self.refuse_if(self.why_not_leave())
        return self.ask(Kind.LEAVE, by=by)

    def hold(self):
        """Lock the group and see it as it is now, so that of two who ask at once the second sees the first."""
        self.refresh_from_db(from_queryset=type(self).objects.select_for_update(no_key=True))
        self.__dict__.pop("asked_lately", None)

    def refuse_if(self, refusal):
        if refusal:
            raise refusal

    def ask(self, kind, *, by, **body):
        errand = Errand.queue(kind, self, by=by, **body)
        self.environment.record("inbox.group_asked", chat=self, by=by, data={"kind": kind, **body})
        self.__dict__.pop("asked_lately", None)
        return errand
