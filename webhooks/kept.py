"""How much an environment keeps of each kind of Retention, and since when, at the same small cost however much it is."""

import json
from dataclasses import dataclass
from datetime import datetime

from lines.models import EventCounter
from webhooks.models import Receipt

# Rows that are counted one by one; of more the database is asked for its guess.
COUNTED = 1000
# Receipts that are looked at for the oldest of an environment: their order has no index by environment.
LOOKED_AT = 10_000


@dataclass(frozen=True)
class Kept:
    count: int
    is_guess: bool
    # When the oldest came; None where that is not found at once.
    since: datetime | None

    def __str__(self):
        return f"{'about ' if self.is_guess else ''}{self.count:,}"


def kept_by(environment, retention):
    """{kind: what there is of it}."""
    receipts = Receipt.objects.filter(pk__gt=retention.receipts_up_to).order_by("pk")
    looked_at = environment.receipts.filter(pk__in=receipts.values("pk")[:LOOKED_AT])
    # Before that stand only the lines of conversations, which stay.
    removed_to = EventCounter.objects.filter(environment=environment).values("removed_to")
    events = environment.events.order_by("sequence")
    deliveries, requests = environment.deliveries.order_by("pk"), environment.requests.order_by("pk")
    return {
        "receipts": kept(environment.receipts.order_by("event_id"), looked_at.order_by("pk"), "received_at"),
        "deliveries": kept(deliveries, deliveries, "created_at"),
        "requests": kept(requests, requests, "at"),
        "events": kept(events, events.filter(sequence__gt=removed_to), "created_at"),
    }


def kept(rows, oldest_first, moment):
    """Of `rows`, in the order of an index; without one the database may read them all to count a few."""
    count = rows.values("pk")[: COUNTED + 1].count()
    since = oldest_first.values_list(moment, flat=True).first() if count else None
    if count <= COUNTED:
        return Kept(count, False, since)
    return Kept(rounded(max(guess(rows), COUNTED)), True, since)


def guess(rows):
    """How many rows the database believes there are; it looks at none of them."""
    return int(json.loads(rows.order_by().explain(format="json"))[0]["Plan"]["Plan Rows"])


def rounded(count):
    """To two digits, for more would be a lie."""
    return int(float(f"{count:.1e}"))
