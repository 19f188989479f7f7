"""The mirror: what a carrier tells becomes our rows, many at a time, in any order, any number of times.

`learn(environment, news)` is the one verb; webhooks, imports and reconciliation all end in it. It runs inside
the caller's transaction with a constant number of queries for any number of news. Locks are taken in one order
(lines, handles, chats, senders; each sorted), so that two workers never wait for each other in a circle.
"""

from dataclasses import dataclass, field

from inbox.mirror.blocks import heard
from inbox.mirror.cards import learn_cards
from inbox.mirror.chats import learn_chats
from inbox.mirror.events import EventSheet, HistorySheet
from inbox.mirror.groups import learn_groups
from inbox.mirror.lines import learn_numbers
from inbox.mirror.locations import learn_shares
from inbox.mirror.messages import learn_changes, learn_messages
from inbox.mirror.news import (
    CardNews,
    ChatNews,
    EditNews,
    FailureNews,
    GroupNews,
    HandleNews,
    LineNews,
    MemberNews,
    MessageNews,
    OptionsNews,
    ReactionNews,
    RefusalNews,
    ShareNews,
    TypingNews,
    VoteNews,
)
from inbox.mirror.people import learn_people


@dataclass
class Learned:
    """What came of it: `awaits` maps a news' position to what it needs, the carrier's id of a message, "chat ID" or
    "direct OUR-NUMBER THEIR-HANDLE"; `created` are those of all that are new to us; `media` are attachments to fetch; `quoted` are
    carrier ids of messages that new ones answer and that are not known; `changed` says what was new, by name, of messages
    that were known, by the carrier's id."""

    awaits: dict[int, str] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    media: list = field(default_factory=list)
    quoted: set[str] = field(default_factory=set)
    changed: dict[str, list[str]] = field(default_factory=dict)


def learn(environment, news, *, is_history=False):
    """Apply `news` (a list of the classes above, oldest first) to the environment's rows. What `is_history` is told neither to
    programs nor, one by one, to pages; its messages say for themselves that they are."""
    learned, sheet = Learned(), (HistorySheet if is_history else EventSheet)(environment)
    places, news = heard(environment, news)
    learn_numbers(environment, news, sheet)
    chats, handles = learn_chats(environment, news, sheet, learned)
    messages, happened = learn_messages(environment, news, chats, sheet, learned)
    sharers = learn_people(environment, news, chats, handles, messages, happened, sheet)
    learn_shares(environment, news, chats, sharers, sheet, learned)
    learn_cards(environment, news, sharers, sheet, learned)
    learn_changes(environment, news, handles, sheet, learned)
    learn_groups(environment, news, chats, sheet, learned)
    sheet.record()
    learned.awaits = {places[index]: awaited for index, awaited in learned.awaits.items()}
    return learned


__all__ = [
    "CardNews",
    "ChatNews",
    "EditNews",
    "FailureNews",
    "GroupNews",
    "HandleNews",
    "Learned",
    "LineNews",
    "MemberNews",
    "MessageNews",
    "OptionsNews",
    "ReactionNews",
    "RefusalNews",
    "ShareNews",
    "TypingNews",
    "VoteNews",
    "learn",
]
