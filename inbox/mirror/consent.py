from django.db.models import Q

from inbox.models import Message
from lines.models import Environment, OptOut


def learn_consent(environment, inbound, handles, sheet):
    """Whoever says a stop word is opted out of the whole environment, until a later message lifts it.

    It is decided by the newest message that counts, so the order of arrival is of no account. `handles` are the
    values of the senders by their pk, all locked.
    """
    if not handles:
        return
    known = {row.handle: row for row in environment.opt_outs.filter(handle__in=handles.values())}
    spoke = {message.sender_id for message in inbound if message.consent == "stop"}
    unsure = [
        pk
        for pk, value in handles.items()
        if pk in spoke or (value in known and known[value].lifted_at is None)
    ]
    if not unsure:
        return
    for message in newest_that_count(environment, unsure):
        decide(environment, handles[message.sender_id], known.get(handles[message.sender_id]), message, sheet)


def newest_that_count(environment, senders):
    counted = Message.objects.filter(sender__in=senders, direction="inbound")
    # A stop word in a group is not meant for us; anything else they write anywhere lifts.
    counted = counted.exclude(chat__is_group=True, consent="stop")
    if environment.opt_out_lift == Environment.Lift.KEYWORD:
        counted = counted.exclude(consent="").filter(Q(consent="start") | Q(chat__is_group=False))
    counted = counted.select_related("chat__line").prefetch_related("parts")
    return counted.order_by("sender_id", "-at", "-id").distinct("sender_id")


def decide(environment, handle, known, message, sheet):
    opted_out = known is not None and known.lifted_at is None
    if message.consent == "stop":
        # The word that they sent, even where they edited it since.
        first = message.edits.first()
        keyword = (first.text if first else message.text).strip()[:40]
        OptOut.objects.update_or_create(
            environment=environment,
            handle=handle,
            defaults={"since": message.at, "lifted_at": None, "keyword": keyword},
        )
        if not opted_out:
            sheet.note("inbox.opted_out", message=message, data={"handle": handle, "keyword": keyword})
    elif opted_out:
        OptOut.objects.filter(pk=known.pk).update(lifted_at=message.at)
        sheet.note("inbox.opted_in", message=message, data={"handle": handle})
