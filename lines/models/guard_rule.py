from django.conf import settings
from django.db import models, transaction
from django.utils import timezone


class GuardRule(models.Model):
    """What a rule of the guard does on one line, or, where `line` is None, on every line of the environment that has no
    such row of its own. Without either it does what is usual (lines/guard)."""

    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="guard_rules")
    line = models.ForeignKey("lines.Line", models.CASCADE, null=True, related_name="guard_rules")
    rule = models.CharField(max_length=20)
    action = models.CharField(max_length=10)
    limits = models.JSONField(default=dict)
    changed_at = models.DateTimeField(default=timezone.now)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "line", "rule"], name="one_guard_rule_per_line"),
            models.UniqueConstraint(
                fields=["environment", "rule"],
                condition=models.Q(line=None),
                name="one_guard_rule_per_environment",
            ),
        ]

    def __str__(self):
        return f"{self.rule}: {self.action}"

    @classmethod
    @transaction.atomic
    def choose(cls, environment, rule, action, limits, *, line=None, by):
        """Have `rule` (of lines.guard) do this from now on; safe to repeat. Raises ValueError where it has no such
        action or limits."""
        if rule.is_fixed or action not in rule.choices:
            raise ValueError(f"{rule.title} cannot be set to {action}")
        stored = {name: value if type(value) is int else f"{value:%H:%M}" for name, value in limits.items()}
        if rule.limits_in(stored) != limits:
            raise ValueError(f"{rule.title} has no such limits")
        # The environment's row is the lock: of two who change it at once the second sees what the first chose.
        type(environment).objects.select_for_update(no_key=True).get(pk=environment.pk)
        chosen = {"action": action, "limits": stored}
        row = cls.objects.filter(environment=environment, line=line, rule=rule.name).first()
        before = row and {"action": row.action, "limits": row.limits}
        if before == chosen:
            return
        cls.objects.update_or_create(
            environment=environment,
            line=line,
            rule=rule.name,
            defaults=chosen | {"changed_at": timezone.now(), "changed_by": by},
        )
        cls.tell(environment, rule, line, before, chosen, by)

    @classmethod
    @transaction.atomic
    def forget(cls, environment, rule, *, line=None, by):
        """Go back to what holds otherwise: a line to its environment's, an environment to what is usual."""
        row = (
            cls.objects.select_for_update().filter(environment=environment, line=line, rule=rule.name).first()
        )
        if row is None:
            return
        row.delete()
        cls.tell(environment, rule, line, {"action": row.action, "limits": row.limits}, None, by)

    @staticmethod
    def tell(environment, rule, line, before, chosen, by):
        data = {"rule": rule.name, "title": rule.title, "from": before, "to": chosen}
        environment.record("inbox.guard_changed", line=line, by=by, data=data)
