from datetime import timedelta

from django.utils import timezone

# Who writes within so long of what they said answers them, also with a second message.
ANSWER_WITHIN = timedelta(hours=24)


class Outgoing:
    """A message that would leave `line` for `handles` at the instant `now`, and what rules may ask about it.

    These are the facts of somebody about whom nothing is known. Who knows more names them, or overrides them by
    properties that look only when they are asked. “Ours” and “sent” is what the guard has let go, and while it is only
    being queued also what waits, never the message itself; times are given newest first.
    """

    is_group = False
    # A program sends it although they had opted out.
    overrides_opt_out = False
    # An admin lets it go now, whatever it is held for.
    is_released = False
    # Who writes: people, schedules or keys.
    author = "people"
    # Right before the wire, where what still waits before it does not count.
    is_leaving = False
    has_link = False

    # In this conversation: when we wrote, at least the last 60 times; when they wrote last.
    ours = ()
    wrote_at = None
    # They have written to this line, be it in another conversation.
    has_written = False
    # IANA's names of the zones in which they live.
    zones = ()

    # Of the line, on the day and in the hour of its environment's clock.
    sent_today = received_today = sent_this_hour = 0
    # What waits before it: all of it, and what of that may still leave today.
    waiting = waiting_today = 0
    # How many left in this hour of the day in the last four weeks, on average; None while that is not known.
    usual_for_hour = None
    # Conversations that we began: within the last hour, and how many today.
    begun_lately = ()
    begun_today = 0
    # When the same words left for others within the last hour, and for how many they wait before it.
    same_words = ()
    same_words_waiting = 0

    def __init__(self, line, handles, *, now=None, **known):
        self.line, self.handles, self.now = line, list(handles), now or timezone.now()
        for name, value in known.items():
            if not hasattr(type(self), name):
                raise TypeError(f"Nobody asks about {name}")
            vars(self)[name] = value

    @property
    def environment(self):
        return self.line.environment

    @property
    def is_first(self):
        """It begins a conversation: nobody has said anything in it."""
        return self.wrote_at is None and not self.ours

    @property
    def is_answer(self):
        """They wrote last, or not long ago. Answers never wait for how much a line sends, but they count."""
        if self.wrote_at is None:
            return False
        wrote_last = not self.ours or self.wrote_at > self.ours[0]
        return wrote_last or self.wrote_at > self.now - ANSWER_WITHIN

    @property
    def today(self):
        return self.environment.day_of(self.now)
