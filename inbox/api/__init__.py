"""V3 endpoints of conversations (contract §6)."""

from ninja import Router

from inbox.api import available, capability, reactions

router = Router()
for part in (available, capability, reactions):
    router.add_router("", part.router)
