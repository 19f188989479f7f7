"""What the guard asks about a message, gathered from the inbox: what was said in its conversation in one statement, what
its line did in another, and each only where a rule asks for it."""

from datetime import timedelta
from functools import cached_property, lru_cache

from django.db import connection
from django.db.models import Min

from inbox import zones
from lines import guard

# Of our messages in a conversation so many are looked at: twice what may go to one person within a minute.
STORY = 60
# Times that are looked at of conversations begun and of people who got the same words.
LISTED = 1000
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEKS = 4

WAITS = """line_id = %(line)s AND direction = 'outbound' AND accepted_at IS NULL AND failed_at IS NULL
    AND sent_at IS NULL AND deleted_at IS NULL AND cleared_at IS NULL AND at < %(at)s AND id <> %(message)s"""

STORY_OF_CHAT = f"""
SELECT ARRAY(
    SELECT coalesce(cleared_at, accepted_at, queued_at) FROM inbox_message
    WHERE chat_id = %(chat)s AND direction = 'outbound' AND failed_at IS NULL AND id <> %(message)s
        AND (cleared_at IS NOT NULL OR (deleted_at IS NULL AND NOT %(leaving)s AND (accepted_at IS NOT NULL OR queued_at IS NOT NULL)))
    ORDER BY at DESC LIMIT {STORY}
), ARRAY(
    SELECT handle.value || ' ' || contact.time_zone FROM inbox_handle handle
    JOIN inbox_contact contact ON contact.id = handle.contact_id
    WHERE handle.environment_id = %(environment)s AND handle.value = ANY(%(handles)s) AND contact.time_zone <> ''
)"""

COUNTS_OF_LINE = f"""
SELECT
    (SELECT count(*) FROM inbox_message WHERE line_id = %(line)s AND cleared_at >= %(day)s AND id <> %(message)s),
    (SELECT count(*) FROM inbox_message WHERE line_id = %(line)s AND at >= %(day)s AND direction = 'inbound'),
    (SELECT count(*) FROM inbox_message WHERE line_id = %(line)s AND cleared_at >= %(hour)s AND id <> %(message)s),
    waiting.all, waiting.today,
    ARRAY(SELECT cleared_at FROM inbox_message WHERE line_id = %(line)s AND begins AND id <> %(message)s
        AND cleared_at > %(hour_ago)s ORDER BY cleared_at DESC LIMIT {LISTED}),
    (SELECT count(*) FROM inbox_message WHERE line_id = %(line)s AND begins AND cleared_at >= %(day)s
        AND id <> %(message)s),
    ARRAY(SELECT max(cleared_at) FROM inbox_message WHERE line_id = %(line)s AND wording = %(wording)s
        AND cleared_at > %(hour_ago)s AND chat_id <> %(chat)s GROUP BY chat_id ORDER BY 1 DESC LIMIT {LISTED}),
    (SELECT count(DISTINCT chat_id) FROM inbox_message WHERE wording = %(wording)s AND chat_id <> %(chat)s AND {WAITS}),
    EXISTS (SELECT FROM inbox_message JOIN inbox_handle sender ON sender.id = sender_id
        WHERE %(asks_who)s AND line_id = %(line)s AND direction = 'inbound'
            AND sender.environment_id = %(environment)s AND sender.value = ANY(%(handles)s))
FROM (SELECT count(*) AS all, count(*) FILTER (WHERE coalesce(next_try_at, at) < %(tomorrow)s) AS today
    FROM inbox_message WHERE {WAITS}) waiting"""

COUNTED = (
    "sent_today",
    "received_today",
    "sent_this_hour",
    "waiting",
    "waiting_today",
    "begun_lately",
    "begun_today",
    "same_words",
    "same_words_waiting",
    "has_written",
)
NOBODY = "00000000-0000-0000-0000-000000000000"


class Facts(guard.Outgoing):
    """Of a message of ours, be it only in somebody's mind. `chat` is None where there is none yet, `message` where it
    is not written."""

    def __init__(self, line, handles, *, chat=None, message=None, wording=None, **known):
        super().__init__(line, handles, **known)
        self.chat, self.message, self.wording = chat, message, wording

    @classmethod
    def of(cls, message, *, is_leaving):
        chat = message.chat
        chat.line.environment = chat.environment
        return cls(
            chat.line,
            chat.guarded,
            chat=chat,
            message=message,
            wording=message.wording,
            is_group=chat.is_group,
            overrides_opt_out=message.overrides_opt_out,
            is_released=message.released_by_id is not None,
            author=message.written_by,
            is_leaving=is_leaving,
        )

    @classmethod
    def in_mind(cls, line, handles, text, *, chat=None, is_group=False):
        """Of what a person is writing."""
        from inbox.models.content import URL
        from inbox.models.holding import wording_of

        has_link = bool(URL.search(text))
        return cls(line, handles, chat=chat, wording=wording_of(text), is_group=is_group, has_link=has_link)

    @cached_property
    def has_link(self):
        from inbox.models.content import URL

        parts = self.message.said if self.message else ()
        return any(part.kind == "link" or URL.search(part.text) for part in parts)

    @property
    def wrote_at(self):
        return self.chat and self.chat.last_inbound_at

    @cached_property
    def ours(self):
        return sorted(self.story[0], reverse=True)

    @cached_property
    def zones(self):
        known = dict(pair.split(" ", 1) for pair in self.story[1])
        ours = zones.our_zone(self.line, self.environment)
        handles = {
            value: zones.zone_of_value(value, known.get(value, ""), ours).name for value in self.handles
        }
        return sorted(set(handles.values()))

    @cached_property
    def story(self):
        return self.ask(STORY_OF_CHAT)

    @cached_property
    def counts(self):
        return dict(zip(COUNTED, self.ask(COUNTS_OF_LINE), strict=True))

    @cached_property
    def usual_for_hour(self):
        return usual(self.line.pk, self.now.replace(minute=0, second=0, microsecond=0))

    def ask(self, statement):
        day = self.environment.start_of(self.today)
        asked = {
            "chat": self.chat.pk if self.chat else NOBODY,
            "message": self.message.pk if self.message else NOBODY,
            "at": self.message.at if self.message else self.now,
            "leaving": self.is_leaving,
            "environment": self.line.environment_id,
            "handles": self.handles,
            "line": self.line.pk,
            "wording": self.wording,
            "asks_who": self.is_first if statement is COUNTS_OF_LINE else False,
            "day": day,
            "tomorrow": self.environment.start_of(self.today + DAY),
            "hour": self.now.replace(minute=0, second=0, microsecond=0),
            "hour_ago": self.now - HOUR,
        }
        with connection.cursor() as cursor:
            cursor.execute(statement, asked)
            return cursor.fetchone()


def counted(name):
    return property(lambda facts: facts.counts[name])


for name in COUNTED:
    setattr(Facts, name, counted(name))


@lru_cache(maxsize=4096)
def usual(line, hour):
    """How many left the line in this hour of the day in the four weeks before the hour that begins at `hour`, or in any
    hour of its days, whichever is more; None for a line of which less than a week is known. The past stays as it is,
    so it is asked for once."""
    from inbox.models import Message

    left = Message.objects.filter(line=line, cleared_at__lt=hour, cleared_at__gte=hour - WEEKS * 7 * DAY)
    first = left.aggregate(first=Min("cleared_at"))["first"]
    days = (hour - first) / DAY if first else 0
    if days < 7:
        return None
    ranges = [(hour - n * DAY, hour - n * DAY + HOUR) for n in range(1, WEEKS * 7 + 1)]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT (SELECT count(*) FROM inbox_message
                WHERE line_id = %s AND cleared_at >= %s AND cleared_at < %s),
            (SELECT count(*) FROM unnest(%s::timestamptz[], %s::timestamptz[]) AS hours(begins_at, ends_at)
                JOIN inbox_message ON line_id = %s AND cleared_at >= begins_at AND cleared_at < ends_at)""",
            [line, first, hour, [begin for begin, _ in ranges], [end for _, end in ranges], line],
        )
        everything, in_hour = cursor.fetchone()
    return max(in_hour / min(days, WEEKS * 7), everything / (days * 24))
