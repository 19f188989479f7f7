from django.core.exceptions import ValidationError
from django.db import models, transaction

from inbox import zones
from inbox.models.reading import Draft
from inbox.models.refusing import Refused
from inbox.models.scheduled import ScheduledSend, check_time

# In one chat: all of them stand at the end of its thread.
MOST_SCHEDULED = 50


class Schedulable(models.Model):
    """The ability of a chat to be written to later."""

    class Meta:
        abstract = True

    @transaction.atomic
    def schedule(self, content, *, send_at, by, time_zone="", asks_first=True, key=None):
        """Have `content` sent at the instant `send_at`, which is shown on the clocks of `time_zone` (theirs, if empty).

        Raises Refused where the content, the time or the guard does not allow it. The same `key` (a UUID) again
        returns what it made.
        """
        chats = type(self).objects.select_for_update(of=("self",)).select_related("line", "environment")
        chat = chats.get(pk=self.pk)
        if key and (known := ScheduledSend.objects.filter(key=key).first()):
            if (known.chat_id, known.author_id) != (chat.pk, by.pk):
                raise ValidationError("This was written in another conversation. Schedule it once more.")
            return known
        chat.check_schedule(content, send_at)
        scheduled = ScheduledSend.objects.create(
            chat=chat,
            author=by,
            text="\n".join(text.strip() for text in content.texts if text.strip()),
            effect=content.effect,
            preferred_service=content.preferred_service,
            reply_to=content.original,
            reply_part_index=content.original_part,
            is_voice_memo=content.is_voice_memo,
            send_at=send_at,
            time_zone=time_zone or chat.zone.name,
            asks_first=asks_first,
            heard=chat.inbound_count,
            key=key,
        )
        # One by one, since their order is that of the rows.
        for file in content.files:
            scheduled.files.add(file)
        chat.drafts.filter(user=by, mode=Draft.Mode.REPLY).delete()
        data = {"scheduled": str(scheduled.pk)}
        chat.environment.record("inbox.scheduled", chat=chat, by=by, data=data)
        scheduled.leave_later()
        return scheduled

    def check_schedule(self, content, send_at):
        content.check(self)
        check_time(send_at)
        verdict = self.verdict()
        if verdict.refused:
            raise Refused(verdict.code, f"{verdict.reason}. {verdict.remedy}".strip())
        if self.scheduled.pending().count() >= MOST_SCHEDULED:
            raise Refused(
                1005, f"{MOST_SCHEDULED} messages are scheduled here already. Cancel one of them first."
            )

    @property
    def zone(self):
        """In which time zone they live, as far as we know; see zones.Zone. Uses what for_rows prefetched."""
        return zones.zone_of_chat(self)
