"""The way to a Linq account, through the official client. Nothing else imports it."""

import math
from contextlib import contextmanager
from functools import lru_cache

import httpx
import linq

from lines.gateways.base import Accepted, Gateway, GatewayError, PermanentFailure, TemporaryFailure
from lines.gateways.breaker import breaker_of
from lines.gateways.road import Road, hosts_named

# Seconds: for the whole answer, and to reach the carrier at all.
ANSWERS_WITHIN, CONNECTS_WITHIN = 30, 5
# What a part of ours has that is not for the wire.
OURS = ("file", "filename", "mime_type", "size_bytes")
# What a text of ours has besides its words, as it goes over the wire.
OF_A_TEXT = ("text_decorations", "mention", "mention_range")
# Messages among which a voice memo is looked for before it is sent once more.
LATEST = 20
CARD_EXISTS = 2014
# No such chat, message, subscription.
GONE = (2001, 2002, 2010)
# Nobody can say now whether somebody gets RCS.
UNKNOWN = (4004, 4009, 4010)
# An account key that works no longer is mended by an admin; until then nothing is lost.
NOT_LET_IN = 401
TOO_MANY = 429
# Whoever stands before the carrier says that it is away. Codes from 4000 on are answers of the carrier itself.
AWAY, ANSWERS_FROM = (502, 503, 504), 4000
# Seconds that a line rests where the carrier does not say how long.
RESTS = 5
# What one page of a list has at most.
PAGE = 100


@lru_cache(maxsize=64)
def http_for(base_url):
    """Connections to one place, used by all threads; what is uploaded to wherever that sends us goes by it too."""
    timeout = httpx.Timeout(ANSWERS_WITHIN, connect=CONNECTS_WITHIN)
    return httpx.Client(transport=Road(), timeout=timeout, trust_env=False)


@lru_cache(maxsize=64)
def client_for(base_url, key):
    """Whether to try again is for us to say."""
    return linq.LinqAPIV3(api_key=key, base_url=base_url, http_client=http_for(base_url), max_retries=0)


def failure_of(error):
    status, headers = error.response.status_code, error.response.headers
    told = error.body if isinstance(error.body, dict) else {}
    reason = (told.get("message") or f"The carrier answered {status}").rstrip(".")
    about = {"code": error.code or 0, "trace_id": headers.get("x-trace-id", "")}
    is_final = headers.get("x-should-retry") == "false"
    if status in (408, TOO_MANY, NOT_LET_IN) or status >= 500 or (status == 409 and not is_final):
        is_away = status in AWAY and about["code"] < ANSWERS_FROM
        return TemporaryFailure(
            reason,
            retry_after=seconds_of(headers.get("retry-after")),
            waits_out=status == TOO_MANY,
            is_outage=is_away or status == NOT_LET_IN,
            **about,
        )
    return PermanentFailure(reason, **about)


@contextmanager
def reading():
    try:
        yield
    except linq.APIStatusError as error:
        raise failure_of(error) from error
    except linq.APIConnectionError as error:
        raise TemporaryFailure("The carrier did not answer", code=3005, is_outage=True) from error
    except (linq.APIError, ValueError) as error:
        raise TemporaryFailure("The carrier’s answer cannot be read", code=3005) from error


def seconds_of(text):
    try:
        return max(0, min(3600, math.ceil(float(text or 0))))
    except ValueError:
        return 0


def known(**values):
    """Those that say something."""
    return {name: value for name, value in values.items() if value not in (None, "", [])}


class LinqGateway(Gateway):
    """The way to the account whose key the environment has."""

    def __init__(self, environment):
        super().__init__(environment)
        self.account = getattr(environment, "account", None)
        if self.account is None or not self.account.key:
            raise PermanentFailure(f"{environment} is connected to no account")
        place = self.account.base_url, self.account.key
        self.client, self.breaker = client_for(*place), breaker_of(environment.pk, *place)

    @contextmanager
    def asking(self):
        """The client's errors as our two kinds, with the carrier's code, sentence and trace_id. What the account is in
        trouble with is written down, and that it is over."""
        try:
            with self.breaker.passing(), reading():
                yield
        except TemporaryFailure as failure:
            if failure.is_outage and self.breaker.is_open:
                self.account.be_in_trouble(failure.reason, failure.code)
            raise
        else:
            self.account.be_well()

    def send(self, message):
        self.breaker.check_line(message.line)
        try:
            return self.send_now(message)
        except TemporaryFailure as failure:
            if failure.code == 1007:
                self.breaker.rest_line(message.line, failure.retry_after.total_seconds() or RESTS)
            raise

    def send_now(self, message):
        with self.asking():
            if message.parts and message.parts[0]["type"] == "poll":
                return self.send_poll(message)
            parts = [self.part(message, index) for index in range(len(message.parts))]
            if message.is_voice_memo and message.chat:
                return self.send_voice_memo(message, parts[0]["attachment_id"])
            content = {"parts": parts} | known(
                idempotency_key=message.idempotency_key,
                preferred_service=message.preferred_service,
                effect=message.effect,
                reply_to=message.reply_to,
            )
            overrides = {"override_optout": True} if message.overrides_opt_out else {}
            if message.chat:
                answer = self.client.chats.messages.send(message.chat, message=content, **overrides)
                return accepted(answer.chat_id, answer.message)
            answer = self.client.chats.create(from_=message.line, to=message.to, message=content, **overrides)
            return accepted(answer.chat.id, answer.chat.message)

    def send_poll(self, message):
        options = [{"text": text} for text in message.parts[0]["options"]]
        poll = {"options": options, "idempotency_key": message.idempotency_key}
        answer = self.client.chats.polls.create(message.chat, poll=poll)
        ids = tuple(option.option_id for option in answer.poll.options)
        return Accepted(answer.chat_id, answer.message_id, option_ids=ids)

    def send_voice_memo(self, message, attachment_id):
        """It has no idempotency key; what an answer that got lost has sent is known by its upload."""
        for sent in self.client.chats.messages.list(message.chat, limit=LATEST).messages:
            if any(attachment_id in (getattr(part, "url", None) or "") for part in sent.parts or []):
                return accepted(message.chat, sent)
        answer = self.client.chats.send_voicememo(
            message.chat,
            attachment_id=attachment_id,
            **({"override_optout": True} if message.overrides_opt_out else {}),
        )
        memo = answer.voice_memo
        return Accepted(memo.chat.id, memo.id, memo.service or memo.chat.service)

    def part(self, message, index):
        """A part for the wire. A file is uploaded once for a message, however often that is tried."""
        part = message.parts[index]
        if part.get("inline_stickers"):
            raise PermanentFailure("A sticker inside of a text cannot be sent to this account", code=1005)
        if part["type"] != "media":
            extra = {name: part[name] for name in OF_A_TEXT if part.get(name) is not None}
            return {"type": part["type"], "value": part["value"]} | extra
        attachment_id = self.account.uploaded(message.idempotency_key, index)
        if attachment_id is None:
            attachment_id = self.upload(
                part["file"], part["filename"], part["mime_type"], part["size_bytes"]
            ).attachment_id
            attachment_id = self.account.keep_upload(message.idempotency_key, index, attachment_id)
        rest = {name: value for name, value in part.items() if name not in OURS}
        return rest | {"type": "media", "attachment_id": attachment_id}

    def upload(self, stored, filename, mime_type, size):
        """The bytes of a stored file, as they are read; the carrier's answer to where they go."""
        place = self.client.attachments.create(content_type=mime_type, filename=filename, size_bytes=size)
        headers = {"Content-Length": str(size)} | place.required_headers
        with stored.open("rb") as file:
            try:
                response = http_for(self.account.base_url).put(
                    place.upload_url, content=iter(lambda: file.read(65536), b""), headers=headers
                )
            except httpx.HTTPError as error:
                raise TemporaryFailure("The file could not be uploaded", code=3005, is_outage=True) from error
        if response.status_code >= 500:
            raise TemporaryFailure(f"The upload was answered {response.status_code}", code=3006)
        if response.is_error:
            raise PermanentFailure(f"The upload was answered {response.status_code}", code=1005)
        return place

    def lent(self, attachment):
        """An address of a stored file of ours, at the carrier."""
        return self.upload(
            attachment.file, attachment.filename, attachment.mime_type, attachment.size
        ).download_url

    # Of a message.

    def react(self, message_id, *, operation, type, emoji, part_index):
        with self.asking():
            self.client.messages.add_reaction(
                message_id,
                operation=operation,
                type=type,
                **known(custom_emoji=emoji if type == "custom" else "", part_index=part_index),
            )

    def stick(self, message_id, *, emoji, picture, part_index, placement):
        with self.asking():
            self.client.messages.add_reaction(
                message_id,
                operation="add",
                type="sticker",
                **known(
                    emoji=emoji,
                    url=picture and self.lent(picture),
                    part_index=part_index,
                    placement=placement,
                ),
            )

    def place_sticker(self, message_id, sticker_id, *, placement):
        with self.asking():
            self.client.messages.update_sticker_placement(
                sticker_id, message_id=message_id, placement=placement
            )

    def add_options(self, message_id, texts):
        """Those that an answer that got lost has added are not added again."""
        poll = self.client.messages.poll
        with self.asking():
            options = poll.retrieve(message_id).poll.options
            if [option.text for option in options[-len(texts) :]] != texts:
                new = [{"text": text} for text in texts]
                options = poll.add_options(message_id, options=new).poll.options
            return [option.option_id for option in options[-len(texts) :]]

    def vote(self, message_id, option_id, *, operation):
        with self.asking():
            self.client.messages.poll.vote(message_id, operation=operation, option_id=option_id)

    def edit(self, message_id, *, text, part_index):
        with self.asking():
            self.client.messages.update(message_id, text=text, part_index=part_index)

    def delete_message(self, message_id):
        with self.asking():
            self.client.messages.delete(message_id)

    def delete_attachment(self, attachment_id):
        with self.asking():
            self.client.attachments.delete(attachment_id)

    # Of a chat.

    def start_typing(self, chat_id):
        with self.asking():
            self.client.chats.typing.start(chat_id)

    def stop_typing(self, chat_id):
        with self.asking():
            self.client.chats.typing.stop(chat_id)

    def mark_read(self, chat_id):
        with self.asking():
            self.client.chats.mark_as_read(chat_id)

    def rename(self, chat_id, name):
        with self.asking():
            self.client.chats.update(chat_id, display_name=name)

    def set_icon(self, chat_id, attachment):
        with self.asking():
            self.client.chats.update(chat_id, group_chat_icon=self.lent(attachment))

    def set_background(self, chat_id, background, *, photo=None):
        with self.asking():
            if background is None:
                return self.client.chats.background.remove(chat_id)
            picture = {"image_url": self.lent(photo)} if photo else {}
            self.client.chats.background.set(chat_id, **background | picture)

    def request_location(self, chat_id):
        with self.asking():
            self.client.chats.location.request(chat_id)

    def stop_location(self, chat_id, handle):
        with self.asking():
            self.client.chats.location.stop(chat_id, handle=handle)

    def add_participant(self, chat_id, handle):
        with self.asking():
            self.client.chats.participants.add(chat_id, handle=handle)

    def remove_participant(self, chat_id, handle):
        with self.asking():
            self.client.chats.participants.remove(chat_id, handle=handle)

    def leave(self, chat_id):
        with self.asking():
            self.client.chats.leave_chat(chat_id)

    def share_contact_card(self, chat_id):
        with self.asking():
            self.client.chats.share_contact_card(chat_id)

    # Of an account.

    def check_imessage(self, address, *, line):
        with self.asking():
            return self.client.capability.check_i_message(address=address, from_=line).available

    def check_rcs(self, address, *, line):
        try:
            with self.asking():
                return self.client.capability.check_RCS(address=address, from_=line).available
        except TemporaryFailure as failure:
            if failure.code in UNKNOWN:
                return None
            raise

    def block(self, handle):
        with self.asking():
            self.client.blocked_handles.block(handle=handle)

    def unblock(self, handle):
        with self.asking():
            self.client.blocked_handles.unblock(handle=handle)

    def forward_calls(self, line, number):
        with self.asking():
            numbers = self.client.phone_numbers.list().phone_numbers
            found = next((one for one in numbers if one.phone_number == line), None)
            if found is None:
                raise PermanentFailure(f"{line} is no number of this account", code=2019)
            self.client.phone_numbers.update(found.id, forwarding_number=number or None)

    def start_audit(self, line):
        with self.asking():
            return self.client.phone_numbers.start_reputation_audit(line).audit_id

    def fetch_audit(self, line, audit_id):
        with self.asking():
            audit = self.client.phone_numbers.get_reputation_audit(audit_id, phone_number=line)
            return audit.to_dict(mode="json")

    def put_contact_card(self, line, card):
        with self.asking():
            picture = known(image_url=self.card_picture(card.image))
        told = {"phone_number": line, "first_name": card.first_name} | picture
        try:
            with self.asking():
                self.client.contact_card.create(**told, **known(last_name=card.last_name))
        except GatewayError as failure:
            if failure.code != CARD_EXISTS:
                raise
            with self.asking():
                self.client.contact_card.update(**told, last_name=card.last_name)

    def card_picture(self, image):
        return self.upload(image, "card.jpg", "image/jpeg", image.size).download_url if image else None

    def fetch_location(self, chat_id):
        with self.asking():
            return [
                place_of(feature) for feature in self.client.chats.location.retrieve(chat_id).data.features
            ]

    def fetch_poll(self, message_id):
        return self.fetched(self.client.messages.poll.retrieve, message_id)

    def fetch_message(self, external_id):
        return self.fetched(self.client.messages.retrieve, external_id)

    def fetch_chat(self, external_id):
        return self.fetched(self.client.chats.retrieve, external_id)

    def fetched(self, retrieve, external_id):
        try:
            with self.asking():
                return retrieve(external_id).to_dict(mode="json")
        except PermanentFailure as failure:
            if failure.code in GONE:
                return None
            raise

    def list_numbers(self):
        with self.asking():
            return [one.to_dict(mode="json") for one in self.client.phone_numbers.list().phone_numbers]

    def list_chats(self, line, cursor=""):
        with self.asking():
            page = self.client.chats.list_chats(from_=line, limit=PAGE, **known(cursor=cursor))
            return [chat.to_dict(mode="json") for chat in page.chats], page.next_cursor or ""

    def list_messages(self, chat_id, cursor=""):
        try:
            with self.asking():
                page = self.client.chats.messages.list(chat_id, limit=PAGE, **known(cursor=cursor))
                return [message.to_dict(mode="json") for message in page.messages], page.next_cursor or ""
        except PermanentFailure as failure:
            if failure.code in GONE:
                return [], ""
            raise

    def list_blocked(self):
        with self.asking():
            return [one.to_dict(mode="json") for one in self.client.blocked_handles.list().blocked_handles]

    def list_cards(self):
        with self.asking():
            return [one.to_dict(mode="json") for one in self.client.contact_card.retrieve().contact_cards]

    # How the account tells us.

    def subscribe(self, url, events, numbers):
        with self.asking():
            subscriptions = self.client.webhook_subscriptions
            for one in subscriptions.list().subscriptions:
                if one.target_url == url:
                    subscriptions.delete(one.id)
            made = subscriptions.create(target_url=url, subscribed_events=events, phone_numbers=numbers)
            return made.id, made.signing_secret

    def fetch_subscription(self, subscription_id):
        return self.fetched(self.client.webhook_subscriptions.retrieve, subscription_id)

    def change_subscription(self, subscription_id, **changes):
        with self.asking():
            self.client.webhook_subscriptions.update(subscription_id, **changes)

    def unsubscribe(self, subscription_id):
        try:
            with self.asking():
                self.client.webhook_subscriptions.delete(subscription_id)
        except PermanentFailure as failure:
            if failure.code not in GONE:
                raise

    def media_hosts(self):
        return hosts_named(self.account.base_url)


def place_of(feature):
    longitude, latitude = feature.geometry.coordinates[:2]
    about = feature.properties
    return {
        "handle": about.handle,
        "longitude": longitude,
        "latitude": latitude,
        "address": about.address or about.locality or "",
        "updated_at": about.updated_at.isoformat() if about.updated_at else None,
    }


def accepted(chat_id, message):
    return Accepted(str(chat_id), str(message.id), message.service)
