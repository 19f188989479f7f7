"""What the guard knows of a message, and what becomes of one that it holds."""

import hashlib
import re

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from inbox.facts import Facts
from inbox.models.refusing import Refused
from lines import guard
from lines.models import Line

# Shorter texts, “Thank you, see you tomorrow” for one, are the same without anybody meaning it.
WORDS_OF_NOTE = 24
WAITS = models.Q(direction="outbound", accepted_at=None, failed_at=None, sent_at=None)


def wording_of(text):
    """A number that is the same for the same words, whatever their case, figures and punctuation; None for what is said
    too shortly to be alike by more than chance."""
    letters = re.sub(r"[\W\d_]+", " ", text.casefold()).strip()
    if len(letters) < WORDS_OF_NOTE:
        return None
    return int.from_bytes(hashlib.blake2b(letters.encode(), digest_size=8).digest(), signed=True)


class Holdable(models.Model):
    """The ability of a message to pass the guard, or to wait until it may."""

    # What it says, as wording_of has it.
    wording = models.BigIntegerField(null=True)
    # It was the first that left in its conversation, and nobody had written before.
    begins = models.BooleanField(default=False, db_default=False)
    is_scheduled = models.BooleanField(default=False, db_default=False)
    # The admin who let it go although the guard held it.
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )

    INDEXES = (
        # What waits on a line, and before what.
        models.Index(fields=["line", "at"], name="message_waits_on_line", condition=WAITS),
        models.Index(fields=["line", "cleared_at"], name="message_begins", condition=models.Q(begins=True)),
        models.Index(
            fields=["line", "wording", "cleared_at"],
            name="message_same_words",
            condition=models.Q(wording__isnull=False),
        ),
    )

    class Meta:
        abstract = True

    @classmethod
    def held(cls):
        return cls.waiting_to_leave().filter(verdict__action=guard.HOLD)

    @property
    def is_held(self):
        return self.is_waiting_to_leave and self.verdict.get("action") == guard.HOLD

    @property
    def written_by(self):
        """people, schedules or keys, as the guard has it."""
        if self.author is not None and self.author.is_program:
            return "keys"
        return "schedules" if self.is_scheduled else "people"

    @property
    def held_for(self):
        """The rule that holds it; None where it is not held."""
        return guard.RULES.get(self.verdict.get("rule")) if self.is_held else None

    @property
    def is_held_until_changed(self):
        """No time lets it go, but something that has to change."""
        return self.is_held and not self.verdict.get("until")

    @property
    def warnings(self):
        """What the guard had to say of it without stopping it."""
        told = [self.verdict, *self.verdict.get("also", [])]
        return [one["reason"] for one in told if one.get("action") == guard.WARN]

    def judge(self, *, leaving):
        """The guard's verdict on this message now; what has left counts, and when queueing also what waits."""
        return guard.check(Facts.of(self, is_leaving=leaving))

    @transaction.atomic
    def clear(self):
        """The guard's last word, right before the wire. Where it lets it go, it counts from now on, else it is put back or
        has failed. Those of one line are judged one after the other, so that no two take the last place, and whoever
        changes the line finds what it holds."""
        self.chat.line = (
            Line.objects.select_for_update(of=("self",), no_key=True)
            .select_related("environment")
            .get(pk=self.line_id)
        )
        facts = Facts.of(self, is_leaving=True)
        verdict = guard.check(facts)
        if verdict.allowed:
            self.begins = self.begins or facts.is_first
            self.cleared_at = timezone.now()
            self.verdict = self.passed(verdict)
            self.save(update_fields=["begins", "cleared_at", "verdict"])
        elif verdict.refused:
            self.fail(verdict.code, verdict.reason, verdict=verdict)
        else:
            self.put_back(verdict.try_at(timezone.now()), verdict=verdict)
        return verdict

    def passed(self, verdict):
        """What is kept of a verdict that lets it go: a warning, and for what it was held until then."""
        kept = verdict.as_json() if verdict.action == guard.WARN else {}
        held = self.verdict if self.verdict.get("action") == guard.HOLD else self.verdict.get("was_held")
        if not held:
            return kept
        was_held = {name: held.get(name) for name in ("rule", "reason", "until")}
        return {"action": "allow"} | kept | {"was_held": was_held}

    def give_back(self):
        """The carrier surely did not take it, so it does not count. Unsaved."""
        self.cleared_at, self.begins = None, False

    @transaction.atomic
    def release(self, *, by):
        """Let it go now, although it is held; False where it is not held any more. Raises Refused where the rule is none
        that an admin may set aside."""
        self.hold()
        if not self.is_held:
            return False
        if not self.held_for or not self.held_for.is_releasable:
            raise Refused(2015, f"Nobody can let it go: {self.verdict.get('reason')}.")
        self.released_by, self.next_try_at = by, timezone.now()
        self.verdict = self.passed(guard.Verdict())
        self.save(update_fields=["released_by", "next_try_at", "verdict"])
        self.environment.record("inbox.message_released", message=self, by=by)
        self.send_later(None)
        return True

    @classmethod
    def look_again(cls, **where):
        """What is held `where` (line=…, chat__in=…) is tried now: something has changed. The sweep finds it."""
        return cls.held().filter(**where).update(next_try_at=timezone.now())
