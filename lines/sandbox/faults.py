"""What goes wrong at the carrier when its switches say so."""

import random
from datetime import timedelta

from django.db.models import F

from lines.models.sandbox import SandboxFaults, SandboxWebhook

SHUFFLE_WITHIN = 3.0


def use_up(environment, switch):
    """Take one of the failures that `switch` still holds; False when it holds none."""
    left = SandboxFaults.objects.filter(environment=environment, **{f"{switch}__gt": 0})
    return bool(left.update(**{switch: F(switch) - 1}))


def disturbed(environment, webhooks):
    """The same webhooks as this carrier will post them: late, shuffled, some of them twice."""
    faults = SandboxFaults.objects.filter(environment=environment).first()
    if faults is None:
        return webhooks
    repeats = []
    for webhook in webhooks:
        webhook.due_at += timedelta(seconds=faults.delay_seconds)
        if faults.reorder:
            webhook.due_at += timedelta(seconds=random.uniform(0, SHUFFLE_WITHIN))
        if random.uniform(0, 100) < faults.repeat_percent:
            again = SandboxWebhook(
                environment=environment,
                event_id=webhook.event_id,
                event_type=webhook.event_type,
                body=webhook.body,
                due_at=webhook.due_at + timedelta(seconds=random.uniform(0, SHUFFLE_WITHIN)),
            )
            repeats.append(again)
    return [*webhooks, *repeats]
