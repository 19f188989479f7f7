"""Pages of conversations, read from the account and learned."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import connections, transaction
from django.db.models import F
from django.utils import timezone

from inbox import mirror
from inbox.mirror import ReactionNews
from inbox.models import Chat, Errand, Message
from inbox.models.chat import key_of as key_of_people
from inbox.models.contact import same_handle
from inbox.models.reaction import shown
from lines.gateways import PermanentFailure
from webhooks import apply, rest
from webhooks.models import ComparedChat, LineComparison, Repair

# Pages that are asked for at the same time: what people send shall find places too.
FETCHERS = 2
# Seconds after which no further page is asked for in one step.
LONG_ENOUGH = 10
# What is younger may be on its way to us, or from us to the account.
ON_ITS_WAY = timedelta(seconds=45)
ICON = "chat.group_icon_updated"
# A conversation from before us in which nobody has said anything for so long comes in closed.
IS_QUIET = timedelta(days=30)


@dataclass
class Page:
    """What the account answered about one chat. Without a `chat` it has none."""

    row: ComparedChat
    chat: dict | None = None
    messages: list = field(default_factory=list)
    cursor: str = ""
    polls: dict = field(default_factory=dict)


def read(comparison, gateway, rows, began):
    pages = fetch_all(gateway, rows)
    with transaction.atomic():
        Reader(comparison).learn(pages)
        comparison.renew(time.monotonic() - began)


def fetch_all(gateway, rows):
    """A page of each, but of an account that is slow only of as many as the claim lasts for."""
    if FETCHERS == 1:
        return [fetch(gateway, row) for row in rows]
    until = time.monotonic() + LONG_ENOUGH
    with ThreadPoolExecutor(FETCHERS) as fetchers:
        return list(filter(None, fetchers.map(lambda row: fetch_apart(gateway, row, until), rows)))


def fetch_apart(gateway, row, until):
    try:
        return fetch(gateway, row) if time.monotonic() < until else None
    finally:
        # That the account is in trouble is written down from here.
        connections.close_all()


def fetch(gateway, row):
    chat = row.data or gateway.fetch_chat(row.external_id)
    if chat is None:
        return Page(row)
    try:
        messages, cursor = gateway.list_messages(row.external_id, row.cursor)
    except PermanentFailure:
        # This one cannot be read, whatever the reason; the others can.
        messages, cursor = [], ""
    polls = {one["id"]: gateway.fetch_poll(one["id"]) for one in messages if not one.get("parts")}
    return Page(row, chat, messages, cursor, polls)


class Reader:
    """Learns pages in the caller's transaction, and writes down what they mended."""

    def __init__(self, comparison):
        self.comparison, self.environment = comparison, comparison.environment
        self.now = timezone.now()
        # What is from before a line was had is history; without a subscription all of it is.
        since = self.environment.account.mirrored_since or self.now
        chosen = dict(self.environment.lines.values_list("pk", "created_at"))
        self.mirrored_since = {line: max(since, at) for line, at in chosen.items()}

    def learn(self, pages):
        ids = [one["id"] for page in pages for one in page.messages]
        known = Message.objects.filter(environment=self.environment, external_id__in=ids)
        self.known = {
            message.external_id: message
            for message in known.prefetch_related("parts", "reactions__handle").select_related("chat")
        }
        chats = Chat.objects.filter(
            environment=self.environment, external_id__in=[page.row.external_id for page in pages]
        )
        self.chats = {chat.external_id: chat for chat in chats}
        busy = Errand.objects.waiting().filter(message__in=[message.pk for message in self.known.values()])
        self.busy = set(busy.values_list("message_id", flat=True))
        old, new, self.found = [], [], {}
        for page in pages:
            if page.chat is None:
                self.lose(page)
                continue
            is_old = page.row.external_id in self.chats or rest.created_at(page.chat) < self.since(page)
            (old if is_old else new).extend(self.news_of_chat(page))
            for message in sorted(self.wanted(page), key=rest.said_at):
                (old if self.is_history(message, page) else new).extend(self.news_of(message, page))
        learned = [mirror.learn(self.environment, old, is_history=True) if old else None]
        learned.append(mirror.learn(self.environment, new) if new else None)
        for one in filter(None, learned):
            # Files of what is old are fetched by the sweep, after those of what is new.
            one.media = one.media if one is learned[1] else []
            one.quoted = one.quoted if one is learned[1] else set()
            apply.follow(self.environment, one)
        self.note_messages(learned, pages)
        for page in pages:
            self.go_on(page)

    def wanted(self, page):
        """The messages of a page that are to be learned now."""
        back_to = self.comparison.back_to
        return [
            message
            for message in page.messages
            if not (back_to and rest.said_at(message) < back_to)
            and (self.is_history(message, page) or rest.changed_at(message) < self.now - ON_ITS_WAY)
        ]

    def since(self, page):
        """Since when the line of the page is mirrored."""
        return self.mirrored_since[page.row.line_id]

    def is_history(self, message, page):
        return message["id"] not in self.known and rest.said_at(message) < self.since(page)

    def news_of_chat(self, page):
        """What the account says of it that is not so here."""
        told, chat = rest.chat(page.chat), self.chats.get(page.row.external_id)
        if chat is None:
            return [told, *rest.group(page.chat)]
        if page.row.pages:
            return []
        others = {member.value for member in told.others if not member.left_at}
        names = {name.strip() for name in told.display_name.split(",")}
        name = told.display_name if names != {member.value for member in told.others} else ""
        is_same = (key_of_people(others), name) == (chat.participants_key, chat.display_name)
        is_same = is_same and told.health.get("status") == (chat.health or told.health).get("status")
        besides = [one for one in rest.group(page.chat) if not (one.type == ICON and chat.icon_id)]
        if chat.line_left_at:
            besides = [one for one in besides if one.type == ICON]
        return [*([] if is_same else [told]), *besides]

    def news_of(self, data, page):
        """What a message says that is not here."""
        ours = self.known.get(data["id"])
        if ours is None:
            return self.news_of_new(data, page)
        return self.news_of_known(data, page, ours)

    def news_of_new(self, data, page):
        if envelope := page.polls.get(data["id"]):
            message, *rest_of_poll = rest.poll(envelope, data, page.chat)
        else:
            message, rest_of_poll = rest.message(data, page.chat), []
        message.is_history = rest.said_at(data) < self.since(page)
        message.recovered_at = None if message.is_history else self.now
        at = message.at if message.is_history else self.now
        failure = rest.failure(data)
        return [message, *rest_of_poll, *([failure] if failure else []), *rest.reactions(data, at=at)]

    def news_of_known(self, data, page, ours):
        if ours.deleted_at or ours.is_purged:
            return []
        told = rest.message(data, page.chat)
        # Nothing of what it says is new; which times are decides what programs are told.
        told.parts = []
        news = [told] if self.has_news(ours, told) else []
        if (failure := rest.failure(data)) and ours.failed_at is None:
            news.append(failure)
            self.find(data["id"], Repair.What.STATE, "failed_at")
        if ours.pk not in self.busy:
            news += self.edits(data, ours) + self.reactions(data, ours)
        return news

    @staticmethod
    def has_news(ours, told):
        for name, kind in (("read_at", "read"), ("delivered_at", "delivered"), ("sent_at", "sent")):
            if getattr(told, name) and not getattr(ours, name):
                told.type = "message.received" if ours.is_inbound else f"message.{kind}"
                return True
        return False

    def edits(self, data, ours):
        told, here = data.get("parts") or [], list(ours.parts.all())
        if len(told) != len(here):
            return []
        news = [
            rest.edit(data, part.index, one["value"])
            for one, part in zip(told, here, strict=True)
            if part.kind == "text" and one.get("type") == "text" and one["value"] != part.text
        ]
        if news:
            self.find(data["id"], Repair.What.WORDS)
        return news

    def reactions(self, data, ours):
        """Tapbacks that came or went unheard. Of stickers only those that came: their going cannot be told apart."""
        told = {key_of(one): one for one in rest.reactions(data, at=self.now)}
        here = {}
        for row in shown(ours.reactions.all()):
            at = max(filter(None, [row.added_at, row.removed_at]))
            if at > self.now - ON_ITS_WAY:
                return []
            who = row.handle.value if row.handle else None
            here[row.part_index, who, row.type, row.emoji if row.type == "custom" else ""] = row
        came = [one for key, one in told.items() if key not in here and one.kind != "sticker"]
        went = [
            ReactionNews(
                message_id=data["id"],
                part_index=part,
                kind=type,
                at=self.now,
                actor=rest.handle({"handle": who}) if who else None,
                emoji=emoji,
                is_removed=True,
                type="reaction.removed",
            )
            for part, who, type, emoji in here.keys() - told.keys()
            if type != "sticker"
        ]
        if came or went:
            self.find(data["id"], Repair.What.REACTION)
        return came + went

    def find(self, message_id, what, detail=""):
        self.found.setdefault(message_id, []).append((what, detail))

    def lose(self, page):
        """The account has it no more: what is written next begins a conversation there, and what is here stays."""
        chat = self.chats.get(page.row.external_id)
        if chat is None:
            return
        chat.lose()
        self.count(page.row.line_id, gone=1)
        Repair.objects.create(
            comparison=self.comparison, line_id=page.row.line_id, chat=chat, what=Repair.What.GONE
        )

    def note_messages(self, learned, pages):
        """What was mended, for people to see. History is counted, not listed."""
        created = set().union(*(one.created for one in learned if one))
        changed = {name: names for one in learned if one for name, names in one.changed.items()}
        for external_id, names in changed.items():
            if times := [name for name in names if name.endswith("_at")]:
                self.find(external_id, Repair.What.STATE, ",".join(times))
        live = {
            one["id"]
            for page in pages
            for one in page.messages
            if one["id"] in created and not self.is_history(one, page)
        }
        for external_id in live:
            self.found[external_id] = [(Repair.What.MESSAGE, "")]
        here = Message.objects.filter(environment=self.environment, external_id__in=self.found)
        here = {message.external_id: message for message in here}
        Repair.objects.bulk_create(
            Repair(
                comparison=self.comparison,
                line_id=here[external_id].line_id,
                chat_id=here[external_id].chat_id,
                message=here[external_id],
                what=what,
                detail=detail,
            )
            for external_id, found in self.found.items()
            if external_id in here
            for what, detail in found
        )
        for page in pages:
            ids = {one["id"] for one in page.messages}
            self.count(
                page.row.line_id,
                messages=len(ids),
                missing=len(ids & created) if self.comparison.is_import else len(ids & live),
                changed=len((ids & self.found.keys()) - live),
            )

    def count(self, line, **more):
        rows = LineComparison.objects.filter(comparison=self.comparison, line=line)
        rows.update(**{name: F(name) + count for name, count in more.items() if count})

    def go_on(self, page):
        """Where the next page begins, or that there is none to read."""
        times = [rest.said_at(message) for message in page.messages]
        until = max(filter(None, [self.comparison.back_to, self.comparison.since]), default=None)
        is_newest_first = times == sorted(times, reverse=True)
        is_done = not page.cursor or bool(until and times and is_newest_first and times[-1] < until)
        row = page.row
        row.cursor, row.pages, row.is_done = ("" if is_done else page.cursor), row.pages + 1, is_done
        row.save(update_fields=["cursor", "pages", "is_done"])
        if times:
            line = LineComparison.objects.filter(comparison=self.comparison, line=row.line_id)
            line.exclude(oldest_at__lt=min(times)).update(oldest_at=min(times))
        if is_done and self.comparison.is_import:
            quiet = Chat.objects.filter(environment=self.environment, external_id=row.external_id)
            quiet.filter(
                status=Chat.Status.OPEN, waiting_since=None, last_message_at__lt=self.now - IS_QUIET
            ).update(status=Chat.Status.CLOSED, closed_at=F("last_message_at"))


def key_of(news):
    who = same_handle(news.actor.value) if news.actor else None
    return news.part_index, who, news.kind, news.emoji if news.kind == "custom" else ""
