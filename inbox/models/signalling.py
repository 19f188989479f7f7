"""What a program lets be seen of us: that somebody types, that it was read."""

from django.db import models

from inbox.models.refusing import Refused


class Signalling(models.Model):
    """The ability of a chat to show that somebody is there."""

    class Meta:
        abstract = True

    def why_no_signal(self):
        """Why nothing of us can be shown here, as a Refused; None where it can, be it that the service shows nothing."""
        if self.line_left_at:
            return Refused(2013, f"{self.line} has left this group.")
        if self.external_id is None:
            return Refused(2009, "The conversation is still being made. Try again in a moment.")
        verdict = self.verdict()
        return Refused(verdict.code, f"{verdict.reason}.") if verdict.refused else None

    def signal_typing(self, *, ended=False):
        """Show dots, or end them, also in groups where people’s typing is not shown. Raises Refused."""
        from inbox import tasks

        self.refuse_if(self.why_no_signal())
        if self.service == "iMessage":
            tasks.wake(tasks.show_typing, str(self.pk), ended)

    def signal_reading(self, *, by):
        """Tell them that we have read it all; what colleagues have not read stays unread. Raises Refused."""
        self.refuse_if(self.why_no_signal())
        self.tell_carrier_of_reading(by=by)
