"""Polls of an iMessage conversation: ours as any message of ours, and our vote and options in any (contract §6.9)."""

from django.db import models, transaction

from inbox.models.errand import Errand
from inbox.models.options import check_texts, option_of, texts_in
from inbox.models.poll import PollVote
from inbox.models.refusing import Refused


class Pollable(models.Model):
    """The ability of a message that is a poll to get our vote, and more options."""

    class Meta:
        abstract = True

    @property
    def poll_part(self):
        """The part that is a poll, or None."""
        return next((part for part in self.parts.all() if part.is_poll), None)

    def why_not_vote(self):
        """A Refused, or None where our line can vote and add options."""
        if self.deleted_at or self.poll_part is None:
            return Refused(2002, "There is no such poll.")
        if self.chat.line_left_at:
            return Refused(2013, f"{self.chat.line} has left this group.")
        if self.failed_at and not self.external_id:
            return Refused(2015, "The poll never left.")
        if not self.external_id:
            return Refused(2009, "The poll has not left yet. Try again in a moment.")
        verdict = self.chat.verdict()
        return Refused(verdict.code, f"{verdict.reason}.") if verdict.refused else None

    @transaction.atomic
    def name_options(self, ids):
        """What the carrier calls options of ours: {our id: its}."""
        self.hold()
        part = self.parts.select_for_update(no_key=True).filter(extra__type="poll").first()
        if part is None:
            return
        options = [
            option | {"external_id": option.get("external_id") or ids.get(option["option_id"], "")}
            if "external_id" in option
            else option
            for option in part.extra["options"]
        ]
        part.extra = part.extra | {"options": options}
        part.save(update_fields=["extra"])
        # Votes that were told of before.
        for ours, theirs in ids.items():
            self.votes.filter(option_id=theirs).update(option_id=ours)

    def name_poll(self, ids):
        """The carrier has taken it, and calls its options so, in their order."""
        if ids and (part := self.poll_part):
            ours = [option["option_id"] for option in part.extra["options"] if "external_id" in option]
            self.name_options(dict(zip(ours, ids, strict=False)))

    def held_poll(self):
        self.hold()
        if refusal := self.why_not_vote():
            raise refusal
        return self.parts.select_for_update(no_key=True).get(pk=self.poll_part.pk)

    @transaction.atomic
    def add_options(self, texts, *, by):
        """Append options, which nobody can take away again."""
        part = self.held_poll()
        options = part.extra.get("options") or []
        added = [option_of(text) for text in texts]
        if not added:
            raise Refused(1005, "Say what the new option is.")
        check_texts([*(option["text"] or "?" for option in options), *texts_in({"options": added})])
        part.extra = part.extra | {"options": options + added}
        part.save(update_fields=["extra"])
        ids = [option["option_id"] for option in added]
        Errand.queue(Errand.Kind.ADD_OPTIONS, self.chat, by=by, message=self, options=ids)
        self.environment.record("inbox.poll_changed", message=self, by=by)

    @transaction.atomic
    def vote(self, option_id, *, by, is_removed=False):
        """Vote for an option as our line, or take that back. Safe to repeat."""
        part = self.held_poll()
        if not any(option["option_id"] == option_id for option in part.extra.get("options") or []):
            raise Refused(1005, "The poll has no such option.")
        votes = self.votes.select_for_update(no_key=True)
        vote = votes.filter(option_id=option_id, handle=None).first()
        if (vote is not None and vote.is_live) != is_removed:
            return
        vote = vote or PollVote(message=self, option_id=option_id)
        before = {name: (at := getattr(vote, name)) and at.isoformat() for name in ("added_at", "removed_at")}
        at = vote.after_ours()
        setattr(vote, "removed_at" if is_removed else "added_at", at)
        vote.save()
        Errand.queue(
            Errand.Kind.VOTE,
            self.chat,
            by=by,
            message=self,
            vote=vote.pk,
            option_id=option_id,
            operation="remove" if is_removed else "add",
            at=at.isoformat(),
            before=before,
        )
        self.environment.record("inbox.poll_changed", message=self, by=by)
