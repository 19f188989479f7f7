from webhooks.models.comparison import ComparedChat, Comparison, LineComparison, Repair
from webhooks.models.delivery import Attempt, Delivery
from webhooks.models.receipt import Receipt
from webhooks.models.retention import Retention
from webhooks.models.subscription import RoutingToken, SigningSecret, Subscription

__all__ = [
    "Attempt",
    "ComparedChat",
    "Comparison",
    "Delivery",
    "LineComparison",
    "Receipt",
    "Repair",
    "Retention",
    "RoutingToken",
    "SigningSecret",
    "Subscription",
]
