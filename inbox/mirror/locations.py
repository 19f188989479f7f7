"""Who lets one of our lines see where they are, since when and until when. Starts and stops in any order."""

from uuid import uuid5

from inbox import wire
from inbox.mirror.chats import direct_key
from inbox.mirror.news import ShareNews
from inbox.models import Chat, LocationShare
from partyline.bulk import update_rows


def learn_shares(environment, news, chats, handles, sheet, learned):
    """The sharers are locked. What belongs to no conversation that is known waits for one."""
    told = {index: item for index, item in enumerate(news) if isinstance(item, ShareNews)}
    if not told:
        return
    known = shares_of({handles[item.sharer].pk for item in told.values()})
    direct = direct_chats(environment, [item for item in told.values() if not item.chat_id])
    for index, item in told.items():
        handle, chat = handles[item.sharer], chats.get(item.chat_id)
        line = chat.line.phone_number if chat else item.line
        shares = known.setdefault((line, handle.pk), {})
        began_at = item.began_at or item.ended_at
        share = shares.get(began_at)
        if not item.chat_id:
            chat = share.chat if share else direct.get(pair(item))
        if chat is None:
            learned.awaits[index] = f"chat {item.chat_id}" if item.chat_id else direct_key(*pair(item))
            continue
        if share is None:
            share = shares[began_at] = LocationShare(chat=chat, handle=handle, began_at=began_at)
            learned.created.add(direct_key(*pair(item)))
        take(share, item, chat)
        end(shares)
        # Of one beginning and one end it is told once, however often and in whatever order.
        event_id = uuid5(handle.pk, f"{item.type} {chat.line_id} {began_at.isoformat()}")
        data = wire.share(chat, item)
        sheet.note(item.type, chat=chat, data=data, trace_id=item.trace_id, event_id=event_id)
    write([share for shares in known.values() for share in shares.values()])


def pair(item):
    return item.line, item.sharer


def shares_of(handle_ids):
    """{(our number, handle's pk): {beginning: share}}"""
    known = {}
    found = LocationShare.objects.filter(handle__in=handle_ids).select_related("chat__line", "handle")
    for share in found:
        share.before = share.stated
        known.setdefault((share.chat.line.phone_number, share.handle_id), {})[share.began_at] = share
    return known


def direct_chats(environment, items):
    """{(our number, their handle): the conversation of the two}"""
    if not items:
        return {}
    found = Chat.objects.filter(
        environment=environment,
        is_group=False,
        line__phone_number__in={item.line for item in items},
        participants_key__in={item.sharer for item in items},
    )
    found = found.exclude(external_id=None).select_related("line").order_by("-last_activity_at", "-pk")
    return {(chat.line.phone_number, chat.participants_key): chat for chat in reversed(found)}


def take(share, item, chat):
    if item.chat_id:
        share.chat = chat
    share.ends_at = min(filter(None, [share.ends_at, item.ends_at]), default=None)
    share.ended_at = min(filter(None, [share.ended_at, item.ended_at]), default=None)


def end(shares):
    """A stop that does not say of what is kept as a share that ended as it began; it ends whatever began before."""
    stops = [share.ended_at for share in shares.values() if share.is_stop]
    for share in shares.values():
        later = [at for at in stops if at >= share.began_at]
        share.ended_at = min(filter(None, [share.ended_at, *later]), default=None)
        if share.ended_at:
            share.place = {}


def write(shares):
    LocationShare.objects.bulk_create([share for share in shares if share.pk is None])
    changed = [share for share in shares if hasattr(share, "before") and share.before != share.stated]
    update_rows(LocationShare, changed, ["chat", "ends_at", "ended_at", "place"])
