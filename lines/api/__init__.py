"""V3 endpoints of phone numbers, contact cards and block lists."""

from ninja import Router

from lines.api import blocked, numbers

router = Router()
for part in (numbers, blocked):
    router.add_router("", part.router)
