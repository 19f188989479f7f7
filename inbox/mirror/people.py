from inbox.mirror.consent import learn_consent
from inbox.mirror.news import CardNews, ShareNews
from inbox.models import Handle, Message, Participant
from partyline.bulk import update_rows


def learn_people(environment, news, chats, handles, inbound, happened, sheet):
    """What messages say of those who wrote or got them: whether they want to be written to, and on what service.
    Answers with those who have shared their name or place, by their address.

    All of them are locked at once, so that two workers do not wait for each other: the later sees the other's messages.
    """
    heard = heard_on([*happened_before(chats), *happened])
    senders = {message.sender_id for message in inbound if message.sender_id}
    sharers = {handles[value].pk for item in news for value in sharers_in(item)}
    pks = senders | heard.keys() | sharers
    if not pks:
        return {}
    locked = Handle.objects.filter(pk__in=pks).select_for_update(no_key=True).order_by("pk")
    locked = {handle.pk: handle for handle in locked}
    learn_consent(environment, inbound, {pk: locked[pk].value for pk in senders}, sheet)
    learn_capability(locked, heard)
    return {locked[pk].value: locked[pk] for pk in sharers}


def sharers_in(item):
    if isinstance(item, CardNews):
        return [item.sender]
    return [item.sharer] if isinstance(item, ShareNews) else []


def happened_before(chats):
    """What was sent to somebody of whom we learn only now that it was to them: the newest message in each chat."""
    new = [chat.pk for chat in chats.values() if getattr(chat, "has_new_people", False) and not chat.is_group]
    if not new:
        return []
    sent = Message.objects.filter(chat__in=new, direction="outbound", sent_at__isnull=False).exclude(
        service=""
    )
    sent = sent.select_related("chat").order_by("chat", "-sent_at", "-service").distinct("chat")
    return [(message, message) for message in sent]


def heard_on(happened):
    """Handle's pk -> (time, service) of the newest message with that person alone."""
    direct = [
        (message, item)
        for item, message in happened
        if item.service and item.sent_at and not message.chat.is_group
    ]
    outbound = {message.chat_id for message, _ in direct if not message.is_inbound}
    people = Participant.objects.filter(chat__in=outbound, left_at=None).values_list("chat_id", "handle_id")
    person_of = dict(people) if outbound else {}
    heard = {}
    for message, item in direct:
        pk = message.sender_id if message.is_inbound else person_of.get(message.chat_id)
        if pk:
            heard[pk] = max(heard.get(pk, (item.sent_at, item.service)), (item.sent_at, item.service))
    return heard


def learn_capability(handles, heard):
    changed = []
    for pk, (at, service) in heard.items():
        handle = handles[pk]
        if handle.service_at is None or (at, service) > (handle.service_at, handle.service):
            handle.service_at, handle.service = at, service
            changed.append(handle)
    update_rows(Handle, changed, ["service", "service_at"])
