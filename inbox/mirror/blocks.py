"""What is not heard at all: whatever somebody on the block list does towards one of our lines alone."""

from inbox.mirror.news import CardNews, MessageNews, ReactionNews, ShareNews, TypingNews, VoteNews
from inbox.models import Chat, Message


def heard(environment, news):
    """(positions, news) without what is dropped. Groups go on as they are, whoever is in them."""
    actors = {index: value for index, item in enumerate(news) if (value := actor_in(item))}
    blocked = blocked_among(environment, set(actors.values()))
    dropped = {index for index, value in actors.items() if value in blocked}
    dropped -= in_groups(environment, news, dropped)
    messages = {news[index].message_id for index in dropped if isinstance(news[index], MessageNews)}
    # With the message goes what was told of it in one breath.
    dropped |= {index for index, item in enumerate(news) if getattr(item, "message_id", None) in messages}
    places = [index for index in range(len(news)) if index not in dropped]
    return places, [news[index] for index in places]


def actor_in(item):
    """Who did it, where that is somebody else than our line and perhaps alone with it."""
    if isinstance(item, MessageNews):
        return item.sender.value if item.sender and item.direction == "inbound" and not item.is_group else ""
    if isinstance(item, ReactionNews | TypingNews):
        return item.actor.value if item.actor else ""
    if isinstance(item, ShareNews | CardNews):
        return item.sharer if isinstance(item, ShareNews) else item.sender
    return item.voter if isinstance(item, VoteNews) else ""


def blocked_among(environment, values):
    if not values:
        return set()
    return set(environment.blocked_handles.filter(handle__in=values).values_list("handle", flat=True))


def in_groups(environment, news, dropped):
    """Those of the positions `dropped` that are about a group."""
    if not dropped:
        return set()
    told = {index: news[index] for index in dropped}
    chats = {item.chat_id for item in told.values() if getattr(item, "chat_id", "")}
    messages = {item.message_id for item in told.values() if isinstance(item, ReactionNews | VoteNews)}
    groups = Chat.objects.filter(environment=environment, is_group=True)
    chats = set(groups.filter(external_id__in=chats).values_list("external_id", flat=True))
    said = Message.objects.filter(environment=environment, chat__is_group=True, external_id__in=messages)
    said = set(said.values_list("external_id", flat=True))
    return {
        index
        for index, item in told.items()
        if getattr(item, "chat_id", None) in chats or getattr(item, "message_id", None) in said
    }
