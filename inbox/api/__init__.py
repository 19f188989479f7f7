"""V3 endpoints of conversations (contract §6)."""

from ninja import Router

from inbox.api import available, reactions

router = Router()
router.add_router("", available.router)
router.add_router("", reactions.router)
