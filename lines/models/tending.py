from django.core.exceptions import ValidationError
from django.db import models, transaction

# Messages a day, in and out.
MOST_A_DAY = 100_000


class Tended(models.Model):
    """The ability of a line to be looked after: how it is called and marked, whose it is, and how much is usual."""

    # How near it is to being flagged, 0 to 100, as it was last found (LineHealth), and when.
    risk = models.PositiveSmallIntegerField(default=0, db_default=0)
    risk_at = models.DateTimeField(null=True)

    # What `change` may change.
    CHANGEABLE = ("name", "wire", "daily_limit")

    class Meta:
        abstract = True

    @transaction.atomic
    def change(self, *, by, **fields):
        """Set any of CHANGEABLE; True if something is different now. Raises ValidationError per field."""
        if unknown := fields.keys() - set(self.CHANGEABLE):
            raise ValueError(f"A line's {', '.join(unknown)} cannot be changed so")
        line = self.hold_line()
        change = {}
        for name, value in fields.items():
            value = " ".join(value.split()) if name == "name" else value
            if getattr(line, name) != value:
                change[name] = {"from": getattr(line, name), "to": value}
                setattr(line, name, value)
        line.check_changes()
        if not change:
            return False
        line.save(update_fields=list(change))
        line.environment.record("inbox.line_changed", line=line, by=by, data=change)
        for name in change:
            setattr(self, name, getattr(line, name))
        return True

    def check_changes(self):
        self.clean_fields(exclude={field.name for field in self._meta.fields} - set(self.CHANGEABLE))
        if not 1 <= self.daily_limit <= MOST_A_DAY:
            raise ValidationError({"daily_limit": f"A limit is 1 to {MOST_A_DAY:,} messages a day."})

    @transaction.atomic
    def give_to(self, user, *, by):
        """`user` looks after it from now on (None: nobody), and is told when it is flagged. They must see it."""
        line = self.hold_line()
        if user is not None and not line.seen_by().filter(pk=user.pk).exists():
            raise ValidationError(f"{user} cannot see {line}. Let them in first.")
        if line.owner == user:
            return
        data = {"owner": {"from": line.owner and str(line.owner), "to": user and str(user)}}
        line.owner = self.owner = user
        line.save(update_fields=["owner"])
        line.environment.record("inbox.line_changed", line=line, by=by, data=data)
