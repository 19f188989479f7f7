"""V3 endpoints of webhook subscriptions (contract §6.5)."""

from uuid import UUID

from django.db import transaction
from ninja import Router

from lines.api.auth import manages, reads
from partyline.problems import Problem, answer, nothing
from webhooks import events
from webhooks.models import Subscription
from webhooks.schemas import (
    EventList,
    NewSubscription,
    SubscriptionChanges,
    SubscriptionList,
    SubscriptionWithSecret,
)
from webhooks.schemas import Subscription as SubscriptionShape

router = Router(tags=["Webhook subscriptions"])
ONE = "/webhook-subscriptions/{subscription_id}"


@router.get("/webhook-events", response=EventList, auth=reads, operation_id="webhook_events_list")
def list_events(request):
    """The event types to which a program can subscribe."""
    return answer({"events": events.ALL, "doc_url": events.DOC})


@router.post(
    "/webhook-subscriptions",
    response={201: SubscriptionWithSecret},
    auth=manages,
    operation_id="webhook_subscriptions_create",
)
def create(request, body: NewSubscription):
    """Subscribe an address to events. The signing secret is in this answer and in no other."""
    subscription, secret = Subscription.make(
        request.environment,
        by=request.token.actor,
        line=request.token.line,
        **body.model_dump(exclude_unset=True),
    )
    return answer(shape(subscription) | {"signing_secret": secret}, 201)


@router.get(
    "/webhook-subscriptions",
    response=SubscriptionList,
    auth=reads,
    operation_id="webhook_subscriptions_list",
)
def subscriptions(request):
    """All subscriptions, disabled ones among them."""
    found = Subscription.objects.opened_by(request.token).newest_first()
    return answer({"subscriptions": [shape(subscription) for subscription in found]})


@router.get(ONE, response=SubscriptionShape, auth=reads, operation_id="webhook_subscriptions_retrieve")
def retrieve(request, subscription_id: UUID):
    return answer(shape(subscription_of(request, subscription_id)))


@router.put(ONE, response=SubscriptionShape, auth=manages, operation_id="webhook_subscriptions_update")
def update(request, subscription_id: UUID, body: SubscriptionChanges):
    """Change what is given. The signing secret stays."""
    subscription = subscription_of(request, subscription_id)
    changes = body.model_dump(exclude_unset=True)
    is_active = changes.pop("is_active", None)
    with transaction.atomic():
        subscription.change(by=request.token.actor, **changes)
        if is_active is not None:
            (subscription.enable if is_active else subscription.disable)(by=request.token.actor)
    return answer(shape(subscription))


@router.delete(ONE, response={204: None}, auth=manages, operation_id="webhook_subscriptions_delete")
def delete(request, subscription_id: UUID):
    """From now on nothing is sent there."""
    subscription_of(request, subscription_id).delete_here(by=request.token.actor)
    return nothing()


def subscription_of(request, subscription_id):
    found = Subscription.objects.opened_by(request.token).select_related("environment", "line")
    subscription = found.filter(pk=subscription_id).first()
    if subscription is None:
        raise Problem(2010, "There is no such webhook subscription.")
    return subscription


def shape(subscription):
    return {
        "id": subscription.pk,
        "target_url": subscription.target_url,
        "subscribed_events": subscription.subscribed_events,
        "is_active": subscription.is_active,
        "phone_numbers": subscription.phone_numbers or None,
        "routing_key_header": subscription.routing_key_header or None,
        "routing_id_header": subscription.routing_id_header or None,
        "created_at": subscription.created_at,
        "updated_at": subscription.updated_at,
    }
