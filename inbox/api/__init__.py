"""V3 endpoints of conversations (contract §6)."""

from ninja import Router

from inbox.api import (
    attachments,
    audits,
    available,
    background,
    capability,
    cards,
    groups,
    location,
    memos,
    messages,
    polls,
    reactions,
    signals,
)

router = Router()
# The endpoints of groups are in the router of chats: one of them has the path of one there.
conversations = (groups, signals, messages, memos, reactions, polls, location, background)
for part in (*conversations, attachments, available, capability, cards, audits):
    router.add_router("", part.router)
