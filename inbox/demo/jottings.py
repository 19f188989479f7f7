"""What the team wrote for itself: a note, a message that is to leave tomorrow, what it says often, how it sorts."""

from datetime import datetime, time, timedelta

from inbox import zones
from inbox.models import Chat, Label, SavedReply
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
# By label: (handle's first name, by whom).
LABELS = {
    "Warranty": [("Nora", "ben")],
    "Cargo bikes": [("Nora", "max"), ("Harriet", "ana")],
    "Wheels": [("Luis", "ben"), ("Marcus", "ben")],
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
    for name, chats in LABELS.items():
        label = Label.make(environment, name, by=people["max"])
        for person, by in chats:
            chat = chat_with(environment, person)
            chat.add_label(label, by=people[by])
            told = Event.objects.filter(type="inbox.label_added", chat_id=chat.pk)
            told.update(created_at=chat.last_message_at)


def chat_with(environment, name):
    chats = Chat.objects.filter(environment=environment, is_group=False)
    return chats.filter(participants__handle__contact__first_name=name).newest_first().first()
