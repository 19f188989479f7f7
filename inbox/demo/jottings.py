"""What the team wrote for itself: a note, a message that is to leave tomorrow, and what it says often."""

from datetime import datetime, time, timedelta

from inbox import zones
from inbox.models import Chat, SavedReply
from inbox.models.content import Content, parts_of
from lines.models import Event

# (handle's first name, how long ago, by whom, text)
NOTES = [
    (
        "Nora",
        timedelta(days=1, hours=15, minutes=16),
        "ben",
        "@Max crank arm, I’d bet on it. That batch of GSDs left the factory with loose bolts. Warranty until March, "
        "so nothing for labour.",
    ),
]
# (handle's first name, by whom, text): tomorrow at nine, on their clock.
TOMORROW = [("Luis", "ben", "Your wheel is ready, we are open until six.")]
REPLIES = {
    "Opening hours": "Hi {first_name}, we are open Tuesday to Saturday, ten to six.",
    "Closed for public holidays": "Hi {first_name}, we are closed today and back tomorrow at ten. {agent}",
    "Deposit, optional": "A deposit of 50 dollars holds the bike for a week. Shall I put it aside for you?",
    "How to find us": "{line} is at the back of the yard, past the loading bay. Ring twice!",
}


def jot(environment, people, now):
    for name, ago, by, text in NOTES:
        note = chat_with(environment, name).add_note(text, by=people[by])
        note.created_at = now - ago
        note.save(update_fields=["created_at"])
        Event.objects.filter(type="inbox.note_added", data__note=str(note.pk)).update(created_at=note.at)
    for name, by, text in TOMORROW:
        chat = chat_with(environment, name)
        day = now.astimezone(zones.ZoneInfo(chat.zone.name)).date() + timedelta(days=1)
        at = zones.moment(datetime.combine(day, time(9)), chat.zone.name)
        chat.schedule(Content(parts_of(text)), send_at=at, by=people[by])
    for title, text in REPLIES.items():
        SavedReply.keep(environment, title=title, text=text, by=people["max"])


def chat_with(environment, name):
    chats = Chat.objects.filter(environment=environment, is_group=False)
    return chats.filter(participants__handle__contact__first_name=name).newest_first().first()
