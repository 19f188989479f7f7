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
    # Before that stand only the lines of conversations, which stay.
    removed_to = EventCounter.objects.filter(environment=environment).values("removed_to")
    removable = environment.events.filter(sequence__gt=removed_to)
    looked_at = receipts.values("pk")[:LOOKED_AT]
    return {
        "receipts": kept(environment.receipts.all(), environment.receipts.filter(pk__in=looked_at)),
        "deliveries": kept(environment.deliveries.all(), at="created_at"),
        "requests": kept(environment.requests.all(), at="at"),
        "events": kept(environment.events.all(), removable, by="sequence", at="created_at"),
    }


def kept(rows, oldest=None, *, by="pk", at="received_at"):
    count = rows.values("pk")[: COUNTED + 1].count()
    oldest = rows if oldest is None else oldest
    since = oldest.order_by(by).values_list(at, flat=True).first() if count else None
    is_guess = count > COUNTED
    return Kept(rounded(max(guess(rows), COUNTED)) if is_guess else count, is_guess, since)


def guess(rows):
    """How many rows the database believes there are; it looks at none of them."""
    return int(json.loads(rows.order_by().explain(format="json"))[0]["Plan"]["Plan Rows"])


def rounded(count):
    """To two digits, for more would be a lie."""
    return int(float(f"{count:.1e}"))
