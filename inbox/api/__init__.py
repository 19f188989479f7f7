"""V3 endpoints of conversations (contract §6)."""

from ninja import Router

from inbox.api import available

router = Router()
router.add_router("", available.router)
