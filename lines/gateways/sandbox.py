from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from lines.gateways.base import Accepted, Gateway, PermanentFailure, TemporaryFailure
from lines.models.sandbox import SandboxChat, SandboxMessage
from lines.sandbox import carrier, faults, payloads


class SandboxGateway(Gateway):
    """The way to the simulated carrier of one environment; closed where that has another carrier."""

    def __init__(self, environment):
        super().__init__(environment)
        if not environment.is_sandbox:
            raise PermanentFailure(f"{environment} is no sandbox")

    def send(self, message):
        if faults.use_up(self.environment, "fail_sends"):
            raise TemporaryFailure("The carrier answered 500", code=3006)
        try:
            taken = carrier.take(self.environment, message)
        except (SandboxChat.DoesNotExist, ValidationError) as error:
            raise PermanentFailure("The carrier knows no such chat", code=2001) from error
        if faults.use_up(self.environment, "lose_answers"):
            raise TemporaryFailure("The carrier did not answer for 30 s", code=3005)
        return Accepted(chat_id=str(taken.chat_id), message_id=str(taken.pk), service=taken.service)

    def fetch_message(self, external_id):
        message = self.found(SandboxMessage.objects.select_related("chat", "handset"), external_id)
        return message and payloads.message_answer(message, timezone.now())

    def fetch_chat(self, external_id):
        chat = self.found(SandboxChat.objects, external_id)
        return chat and payloads.chat_answer(chat)

    def found(self, rows, external_id):
        try:
            return rows.filter(environment=self.environment, pk=UUID(str(external_id))).first()
        except ValueError:
            return None

    def media_hosts(self):
        return {urlsplit(settings.RECEIVER_URL).netloc}
