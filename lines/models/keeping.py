"""What admins do to environments themselves: make, rename, colour, lock, delete."""

from django.db import models, transaction
from django.utils.text import slugify

from lines.models.line import WIRES, Line
from lines.models.people import Role


class NotAllowed(Exception):
    """The sentence says what is in the way."""


class Keeping(models.Model):
    class Meta:
        abstract = True

    @classmethod
    @transaction.atomic
    def make(cls, name, *, by, carrier="sandbox", colour="plum", working_in=None):
        """A new environment with `by` as its admin; a sandbox has a line to try. Told there and in `working_in`."""
        environment = cls.objects.create(name=name, slug=cls.free_slug(name), carrier=carrier, colour=colour)
        lines = [environment.lines.create(**Line.TO_TRY)] if environment.is_sandbox else []
        environment.admit(by, role=Role.ADMIN, lines=lines)
        for log in filter(None, (environment, working_in)):
            log.announce(
                "environment.created", by=by, summary=f"Made the environment {name}", **environment.told
            )
        return environment

    @classmethod
    def free_slug(cls, name):
        slug = slugify(name)[:40] or "environment"
        taken = set(cls.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
        numbered = (f"{slug}-{number}" for number in range(2, len(taken) + 3))
        return slug if slug not in taken else next(free for free in numbered if free not in taken)

    @transaction.atomic
    def rename(self, name, *, by):
        """Its slug, which carriers have in the address that they post to, stays."""
        before = self.name
        if type(self).objects.exclude(name=name).filter(pk=self.pk).update(name=name):
            self.refresh_from_db()
            self.announce(
                "environment.renamed",
                by=by,
                summary=f"Renamed the environment {before} to {name}",
                change={"from": before, "to": name},
                **self.told,
            )

    @transaction.atomic
    def paint(self, colour, *, by):
        """Give it one of WIRES, by which people see where they are."""
        if colour not in WIRES:
            raise ValueError(f"There is no colour {colour}")
        self.set("colour", colour, by=by)

    @transaction.atomic
    def make_production(self, *, by):
        """From now on real people are written to. Keys for testing end, for they must not reach them."""
        if self.is_simulated:
            raise NotAllowed("The sandbox only simulates people: production needs a carrier.")
        self._change_kind(True, by)

    @transaction.atomic
    def make_test(self, *, by):
        """It is no longer production; keys for production end."""
        self._change_kind(False, by)

    def _change_kind(self, is_production, by):
        current = type(self).objects.select_for_update().get(pk=self.pk)
        if current.is_production != is_production:
            for token in self.tokens.usable():
                token.revoke(by=by)
            self.set("is_production", is_production, by=by)

    @transaction.atomic
    def delete_empty(self, *, by, working_in):
        """Delete it with its lines, people and keys, and tell of it in `working_in`; raises NotAllowed."""
        if working_in.pk == self.pk:
            raise NotAllowed(f"You are working in {self}: go to another environment first.")
        about = self.told | {"tokens_revoked": self.tokens.usable().count()}
        try:
            with transaction.atomic():
                self.delete()
        except models.ProtectedError as error:
            raise NotAllowed(
                f"{self} has conversations: only an empty environment can be deleted."
            ) from error
        working_in.announce(
            "environment.deleted", by=by, summary=f"Deleted the environment {self.name}", **about
        )

    @property
    def told(self):
        """What the log says of it."""
        return {"environment": {"name": self.name, "type": "environment"}}

    @property
    def is_simulated(self):
        return self.carrier == self.Carrier.SANDBOX

    @property
    def is_sandbox(self):
        """Everything that simulates people works here, and nowhere else."""
        return self.is_simulated and not self.is_production
