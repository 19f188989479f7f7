"""V3 endpoints of conversations (contract §6)."""

from ninja import Router

from inbox.api import attachments, available, capability, chats, memos, messages, reactions

router = Router()
for part in (chats, messages, memos, attachments, available, capability, reactions):
    router.add_router("", part.router)
