"""V3 endpoints of phone numbers, contact cards and block lists."""

from ninja import Router

from lines.api import numbers

router = Router()
router.add_router("", numbers.router)
