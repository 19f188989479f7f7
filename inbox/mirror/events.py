from lines.models import Event
from partyline.bulk import insert_rows


class EventSheet:
    """The events of one batch, written at its end in one statement."""

    def __init__(self, environment):
        self.environment = environment
        self.events = []

    def note(
        self, type, *, chat=None, message=None, line=None, data=None, trace_id=None, event_id=None, by=None
    ):
        event = Event.of(
            self.environment, type, chat=chat, message=message, line=line, data=data, trace_id=trace_id, by=by
        )
        event.event_id = event_id or event.event_id
        self.events.append(event)

    def record(self):
        insert_rows(Event, self.events, ignore_conflicts=True)


class HistorySheet(EventSheet):
    """What was long before anybody listened is told to nobody; pages draw the conversations anew, each once."""

    def note(self, type, *, chat=None, message=None, **told):
        chat = chat or (message and message.chat)
        if chat is not None:
            self.chats[chat.pk] = chat

    def __init__(self, environment):
        super().__init__(environment)
        self.chats = {}

    def record(self):
        for chat in self.chats.values():
            super().note("inbox.history_learned", chat=chat)
        super().record()
