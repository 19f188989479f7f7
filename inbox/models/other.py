"""What a part holds that is neither text nor a file: polls, cards of apps, and what we do not know."""

from django.db import models

# What stands for a part in one line, by its type: where its words are found.
TITLES = {
    "imessage_app": ("layout.caption", "layout.image_title", "fallback_text", "app.name"),
    "app_clip": ("title", "description", "value"),
    "media": ("filename",),
}
ANY_TITLE = ("fallback_text", "title", "value", "caption", "name", "text")
KINDS = {"imessage_app": "app card", "app_clip": "app clip"}


class Other(models.Model):
    """The ability of a part to be shown without being understood. `extra` is whatever a stranger's phone made of it."""

    class Meta:
        abstract = True

    @property
    def is_poll(self):
        return self.kind == "other" and self.extra.get("type") == "poll"

    @property
    def title(self):
        """Its own words, or "" where there are none."""
        paths = TITLES.get(self.extra.get("type"), ANY_TITLE)
        return next((words for path in paths if (words := self.words_at(path))), "")

    def words_at(self, path):
        value = self.extra
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return " ".join(value.split())[:300] if isinstance(value, str) else ""

    @property
    def web_url(self):
        url = self.extra.get("value")
        return url if isinstance(url, str) and url.startswith(("https://", "http://")) else ""

    @property
    def options(self):
        """Of a poll: each option with who votes for it. Uses the votes that for_bubbles prefetched."""
        votes = [vote for vote in self.message.votes.all() if vote.is_live]
        voters = len({vote.handle_id for vote in votes})
        return [self.tallied(option, votes, voters) for option in self.extra.get("options") or []]

    def tallied(self, option, votes, voters):
        votes = [vote for vote in votes if vote.option_id == option["option_id"]]
        return {
            "text": option["text"],
            "count": len(votes),
            "percent": round(100 * len(votes) / voters) if voters else 0,
            "names": sorted(vote.handle.first_name if vote.handle else "We" for vote in votes),
            "is_ours": any(vote.handle_id is None for vote in votes),
            "voters": voters,
        }

    @property
    def in_a_line(self):
        """For the list."""
        if self.is_poll:
            texts = [option["text"] for option in self.extra.get("options") or [] if option["text"]]
            return f"Poll: {', '.join(texts)}" if texts else "A poll"
        kind = KINDS.get(self.extra.get("type"))
        if kind:
            return f"{self.title} ({kind})" if self.title else f"An {kind}"
        return self.title or "A message that only the phone can show"
