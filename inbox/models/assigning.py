"""Whoever loses a line gives back what was theirs to answer on it."""

from inbox.models.chat import Chat
from lines.models import Event, Line, User
from lines.models.event import ACCESS_CHANGED


def follow_access(sender, event, **signal):
    """In the transaction that takes a line, a role or a membership away: nobody stays assigned who cannot look."""
    if event.type != ACCESS_CHANGED:
        return
    user = event.data["user"]
    seen = Line.objects.visible_to(User(pk=user)).values("pk")
    theirs = Chat.objects.filter(environment=event.environment_id, assignee=user)
    lost = list(theirs.exclude(line__in=seen).select_for_update(no_key=True).order_by("pk").only("line_id"))
    Chat.objects.filter(pk__in=[chat.pk for chat in lost]).update(assignee=None)
    data = {"assignee": None, "name": None}
    Event.objects.bulk_create(
        Event.of(event.environment, "inbox.chat_assigned", chat=chat, by=event.actor, data=data)
        for chat in lost
    )
