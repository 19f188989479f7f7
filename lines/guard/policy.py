from dataclasses import dataclass

from django.db.models import Q

from lines.guard.table import OFF, RULES, Rule
from lines.models.guard_rule import GuardRule


@dataclass(frozen=True)
class Setting:
    """What a rule does, with its limits; `source` says who has decided it: line, environment or default."""

    rule: Rule
    action: str
    limits: dict
    source: str = "default"

    @property
    def is_on(self):
        return self.action != OFF

    @property
    def figure(self):
        return self.rule.said(self.limits)


class Policy:
    """The settings of all rules for a line, or for an environment's lines in general."""

    def __init__(self, settings):
        self.settings = settings

    @classmethod
    def of(cls, environment_id, line_id=None):
        """A line's own settings beat its environment's, and these what is usual."""
        rows = GuardRule.objects.filter(environment=environment_id)
        rows = rows.filter(Q(line=None) | Q(line=line_id)) if line_id else rows.filter(line=None)
        chosen = {}
        for row in rows:
            if row.rule not in chosen or row.line_id:
                chosen[row.rule] = row
        return cls({name: setting_of(rule, chosen.get(name)) for name, rule in RULES.items()})

    @classmethod
    def only(cls, *names):
        """These as they usually are, and no others."""
        return cls({name: setting_of(RULES[name]) for name in names})

    @classmethod
    def always(cls):
        return cls.only(*(name for name, rule in RULES.items() if rule.is_fixed))

    def __getitem__(self, name):
        return self.settings[name]

    def __iter__(self):
        return iter(self.settings.values())


def setting_of(rule, row=None):
    if row is None or rule.is_fixed:
        return Setting(rule, rule.action, rule.limits_in({}))
    action = row.action if row.action in rule.choices else rule.action
    return Setting(rule, action, rule.limits_in(row.limits), "line" if row.line_id else "environment")
