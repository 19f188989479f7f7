import asyncio
import signal

from django.core.management.base import BaseCommand

from webhooks.deliverer import Deliverer


class Command(BaseCommand):
    help = (
        "Deliver webhooks to the programs that subscribed, until it is told to end. Several may run at once."
    )

    def handle(self, **options):
        asyncio.run(deliver())


async def deliver():
    deliverer = Deliverer()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, deliverer.end)
    await deliverer.run()
