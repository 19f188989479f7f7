"""What can be asked of a group: the carrier says later, by a webhook, whether it came to be."""

from django.db import models, transaction

from inbox.models.errand import Errand
from inbox.models.refusing import Refused

NAME_LENGTH = 100
# With our line counted: so many must be there to add somebody, to stay when one is removed, and to leave.
ADD_FROM, REMOVE_TO, LEAVE_FROM = 3, 3, 4
MOST = 32


class Group(models.Model):
    """The ability of a chat with several people to change its name, its icon and its members."""

    class Meta:
        abstract = True

    @property
    def size(self):
        return len(self.others) + 1

    def why_not_change(self):
        """Why nothing can be changed in this group, as a Refused; None where it can."""
        if not self.is_group:
            return Refused(1006, "That is for groups only.")
        if self.line_left_at:
            return Refused(2013, f"{self.line} has left this group.")
        if self.external_id is None:
            return Refused(2009, "The group is still being made. Try again in a moment.")
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
        if self.size >= MOST:
            return Refused(2015, f"A group has {MOST} members at most, our line among them.")
        return None

    def why_not_remove(self):
        if refusal := self.why_not_alter_members():
            return refusal
        if self.size - 1 < REMOVE_TO:
            return Refused(
                2015,
                f"At least {REMOVE_TO} members must stay. Start a new conversation with whom you want to keep.",
            )
        return None

    def why_not_leave(self):
        if refusal := self.why_not_alter_members():
            return refusal
        if self.service != "iMessage":
            return Refused(2017, f"A line can leave iMessage groups only; this one is {self.service}.")
        if self.size < LEAVE_FROM:
            return Refused(
                2015, f"A group can be left from {LEAVE_FROM} members on. Close the conversation instead."
            )
        return None

    @transaction.atomic
    def rename(self, name, *, by):
        """Ask for another name; until the carrier says yes the old one is shown."""
        name = " ".join(name.split())
        self.refuse_if(self.why_not_change())
        if not name or len(name) > NAME_LENGTH:
            raise Refused(1005, f"A name has 1 to {NAME_LENGTH} characters.")
        if name != self.display_name:
            return self.ask(Errand.Kind.NAME, by=by, name=name)

    @transaction.atomic
    def set_icon(self, attachment, *, by):
        """Ask for another icon, a stored image."""
        self.refuse_if(self.why_not_change())
        if not attachment.mime_type.startswith("image/"):
            raise Refused(5006, f"{attachment.filename} is no picture.")
        return self.ask(Errand.Kind.ICON, by=by, attachment=str(attachment.pk))

    @transaction.atomic
    def add_member(self, address, *, by):
        """Ask for somebody to be added; `address` is a normal handle."""
        from inbox.models.contact import Handle

        self.refuse_if(self.why_not_add())
        if any(handle.value == address for handle in self.others):
            raise Refused(2015, "They are in this group already.")
        handle = Handle.objects.filter(environment=self.environment_id, value=address).first()
        if handle and handle.reached_by and self.service and handle.reached_by != self.service:
            raise Refused(
                2017,
                f"{handle.name} has {handle.reached_by}, and this is an {self.service} group. "
                "Start a new conversation to bring them in.",
            )
        return self.ask(Errand.Kind.ADD, by=by, handle=address)

    @transaction.atomic
    def remove_member(self, handle, *, by):
        self.refuse_if(self.why_not_remove())
        if all(other.pk != handle.pk for other in self.others):
            raise Refused(2015, f"{handle.name} is not in this group.")
        return self.ask(Errand.Kind.REMOVE, by=by, handle=handle.value)

    @transaction.atomic
    def leave(self, *, by):
        """Ask to leave; afterwards nothing can be written here."""
        self.refuse_if(self.why_not_leave())
        return self.ask(Errand.Kind.LEAVE, by=by)

    def refuse_if(self, refusal):
        if refusal:
            raise refusal

    def ask(self, kind, *, by, **body):
        """Queue the errand, unless the same is being asked already."""
        same = self.errands.filter(kind=kind, failed_at=None, answered_at=None, body=body).first()
        if same:
            return same
        errand = Errand.queue(kind, self, by=by, **body)
        self.environment.record("inbox.group_asked", chat=self, by=by, data={"kind": kind, **body})
        return errand
