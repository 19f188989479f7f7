import json
import shlex
import time
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid4, uuid5

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from inbox.models.contact import normal_handle
from lines.models import Environment
from partyline import trace
from webhooks import signatures


class Command(BaseCommand):
    help = "Print the curl command of a signed message.received webhook, as the environment's carrier would post it."

    def add_arguments(self, parser):
        parser.add_argument("environment", help="slug")
        parser.add_argument("sender", help="a phone number or e-mail address")
        parser.add_argument("text")
        parser.add_argument("--line", help="the phone number of a line; default: the first one")

    def handle(self, *, environment, sender, text, line, **options):
        environment = Environment.objects.filter(slug=environment).first()
        if environment is None:
            raise CommandError("There is no environment of that slug.")
        lines = environment.lines.order_by("created_at")
        line = (lines.filter(phone_number=line) if line else lines).first()
        if line is None:
            raise CommandError("There is no such line in this environment.")
        event = received(line, normal_handle(sender), text)
        body = json.dumps(event)
        now = int(time.time())
        signature = signatures.sign_standard(
            environment.signing_secret, event["event_id"], now, body.encode()
        )
        headers = {
            "content-type": "application/json",
            "webhook-id": event["event_id"],
            "webhook-timestamp": str(now),
            "webhook-signature": signature,
        }
        words = ["curl", "--silent", "--show-error", "--data-binary", body]
        for name, value in headers.items():
            words += ["--header", f"{name}: {value}"]
        self.stdout.write(shlex.join([*words, f"{settings.RECEIVER_URL}/webhooks/in/{environment.slug}/"]))


def received(line, sender, text):
    """A message.received event (contract §5.1); the same sender writes in the same chat every time."""
    now = datetime.now(UTC).isoformat()

    def handle(value, is_me):
        return {
            "id": str(uuid5(NAMESPACE_URL, value)),
            "handle": value,
            "service": "iMessage",
            "joined_at": now,
            "is_me": is_me,
        }

    data = {
        "id": str(uuid4()),
        "chat": {
            "id": str(uuid5(NAMESPACE_URL, f"{line.phone_number} {sender}")),
            "is_group": False,
            "owner_handle": handle(line.phone_number, True),
        },
        "direction": "inbound",
        "sender_handle": handle(sender, False),
        "parts": [{"type": "text", "value": text}],
        "service": "iMessage",
        "sent_at": now,
    }
    return {
        "api_version": "v3",
        "webhook_version": "2026-02-03",
        "event_type": "message.received",
        "event_id": str(uuid4()),
        "created_at": now,
        "trace_id": trace.new_trace_id(),
        "partner_id": "by-hand",
        "data": data,
    }
