from datetime import timedelta
from uuid import uuid4

from django.db import models
from django.utils import timezone


class SandboxCard(models.Model):
    """The contact card of one of our numbers, as the carrier shares it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="+")
    line_number = models.CharField(max_length=20)
    first_name = models.CharField(max_length=255)
    last_name = models.CharField(max_length=255, blank=True, default="")
    image = models.ForeignKey("lines.SandboxMedia", models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "line_number"], name="one_sandbox_card_per_number")
        ]

    def __str__(self):
        return f"{self.first_name} {self.last_name}".strip()


class SandboxForward(models.Model):
    """Where calls to one of our numbers go."""

    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="+")
    line_number = models.CharField(max_length=20)
    number = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "line_number"], name="one_sandbox_forward_per_number"
            )
        ]

    def __str__(self):
        return f"{self.line_number} to {self.number}"


class SandboxBlock(models.Model):
    """Somebody of whom the carrier lets nothing through to our side."""

    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="+")
    handle = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "handle"], name="one_sandbox_block_per_handle")
        ]

    def __str__(self):
        return self.handle


class SandboxLimit(models.Model):
    """When something that is allowed only so often was last done."""

    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    used_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "name"], name="one_sandbox_limit_per_name")
        ]

    def __str__(self):
        return self.name

    @classmethod
    def use(cls, environment, name, *, every):
        """Do it now, if the last time is `every` ago; returns how long one has to wait, nothing where it was done."""
        now = timezone.now()
        limit, is_new = cls.objects.get_or_create(
            environment=environment, name=name, defaults={"used_at": now}
        )
        # A conditional update, so that of two at once only one is let through.
        if is_new or cls.objects.filter(pk=limit.pk, used_at__lte=now - every).update(used_at=now):
            return timedelta(0)
        limit.refresh_from_db()
        return limit.used_at + every - now
