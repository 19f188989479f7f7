"""What the details of a group show: who is in it and who left, what was asked of it, and why something cannot be."""

from datetime import timedelta

from inbox.models import Errand, Handle, Participant

# Of those who left, so many are named.
GONE = 20
# Whoever came so soon after the group began was in it from the beginning.
BEGINNING = timedelta(seconds=5)


def group_of(chat):
    """Nothing for a chat with one person. `chat` is one of for_rows."""
    if not chat.is_group:
        return {}
    asked = chat.asked
    leaving = {errand.body["handle"] for errand in asked if errand.kind == Errand.Kind.REMOVE}
    members = [member for member in chat.participants.all() if member.left_at is None]
    for member in members:
        member.is_leaving = member.handle.value in leaving
        member.came_later = came_later(chat, member)
    lately = [errand for errand in chat.asked_lately if errand.failed_at or errand in asked]
    name_people(chat, lately)
    return {
        "members": members,
        "gone": gone_of(chat),
        "asked": asked,
        "undone": [errand for errand in lately if errand.failed_at],
        "new_name": next((errand.body["name"] for errand in asked if errand.kind == Errand.Kind.NAME), None),
        "why_not": {
            "rename": chat.why_not_rename(),
            "change": chat.why_not_change(),
            "add": chat.why_not_add(),
            "remove": chat.why_not_remove(),
            "leave": chat.why_not_leave(),
        },
    }


def came_later(chat, member):
    return member.joined_at is not None and member.joined_at > chat.created_at + BEGINNING


def gone_of(chat):
    gone = Participant.objects.filter(chat=chat).exclude(left_at=None).select_related("handle__contact")
    return list(gone.order_by("-left_at")[:GONE])


def name_people(chat, errands):
    """Let each errand about a person know who that is."""
    values = {errand.body["handle"] for errand in errands if "handle" in errand.body}
    if not values:
        return
    found = Handle.objects.filter(environment=chat.environment_id, value__in=values)
    people = {handle.value: handle for handle in found.select_related("contact")}
    for errand in errands:
        value = errand.body.get("handle")
        errand.person = people.get(value) or Handle(value=value or "")


def readers_of(chat):
    """Who reads what is sent to a group, and who of them came since our last message."""
    if not chat.is_group:
        return {}
    members = [member for member in chat.participants.all() if member.left_at is None]
    since = chat.last_outbound_at
    newcomers = [
        member.handle for member in members if since and came_later(chat, member) and member.joined_at > since
    ]
    return {"readers": [member.handle for member in members], "newcomers": newcomers}
