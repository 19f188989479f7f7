"""From what a program says to a Content: its files are looked up or fetched, its originals found."""

import hashlib
import time
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.db.models import Q

from inbox import media
from inbox.api.access import chats_of, messages_of
from inbox.models import Attachment, Chat
from inbox.models.content import Content
from partyline.problems import Problem

# Files by address in one message, and seconds for all of them together.
BY_URL, FETCHED_WITHIN = 40, 45


def content_of(request, data, *, frees_link=False):
    """The Content that `data` (a Sending) asks for. Fetches files, so call it outside of a transaction."""
    message = data.message
    if message.experience is not None or any(
        part.type in ("imessage_app", "app_clip") for part in message.parts
    ):
        raise Problem(2011, "Cards of apps are not sent from here.")
    if sum(part.type == "media" and part.url is not None for part in message.parts) > BY_URL:
        raise Problem(1004, f"message.parts: {BY_URL} files by address are the most.")
    files = Files(request)
    return Content(
        [part_of(files, part) for part in message.parts],
        effect=message.effect and message.effect.model_dump(exclude_none=True),
        original=message.reply_to and original_of(request, message.reply_to),
        original_part=message.reply_to.part_index if message.reply_to else 0,
        preferred_service=message.preferred_service or "",
        overrides_opt_out=data.override_optout,
        frees_link=frees_link,
    )


def part_of(files, part):
    if part.type == "link":
        return {"link": part.value}
    if part.type == "media":
        extra = {"extra": {"sticker": True}} if part.sticker else {}
        return {"attachment": files.one(part.attachment_id, part.url)} | extra
    extra = decorations_of(part) | stickers_of(files, part) | mention_of(part)
    return {"text": part.value} | ({"extra": extra} if extra else {})


def decorations_of(part):
    told = [decoration.model_dump(exclude_none=True) for decoration in part.text_decorations or []]
    return {"text_decorations": told} if told else {}


def stickers_of(files, part):
    stickers = []
    for sticker in part.inline_stickers or []:
        file = files.one(sticker.attachment_id, sticker.url, fetches=False)
        told = {
            "id": str(file.pk),
            "file_name": file.filename,
            "mime_type": file.mime_type,
            "url": file.public_url,
        }
        stickers.append({"range": sticker.range} | told)
    return {"inline_stickers": stickers} if stickers else {}


def mention_of(part):
    if part.mention is None:
        return {}
    whole = [0, len(part.value.encode("utf-16-le")) // 2]
    mention = {"handle": part.mention, "is_me": False, "range": part.mention_range or whole}
    return {"mentions": [mention], "mention": part.mention, "mention_range": mention["range"]}


def original_of(request, reply_to):
    original = messages_of(request.token).select_related("chat").filter(pk=reply_to.message_id).first()
    if original is None:
        raise Problem(2002, "message.reply_to: there is no such message.")
    return original


class Files:
    """The files of one request."""

    def __init__(self, request):
        self.token = request.token
        self.until = time.monotonic() + FETCHED_WITHIN

    def one(self, attachment_id, url, *, fetches=True):
        """The file that has this id, or else stands at this url; only one of ours where it `fetches` none."""
        if attachment_id is not None:
            return self.kept(attachments_of(self.token).filter(pk=attachment_id).first())
        if url.startswith(f"{settings.PUBLIC_URL}/attachments/"):
            return self.kept(self.ours_at(url))
        if not fetches:
            raise Problem(2003, "url: that is no address of an attachment of yours.")
        return media.keep_from(self.token.environment, url, by=self.token.actor, until=self.until)

    def ours_at(self, url):
        _, _, pk, signature, *_ = [*urlsplit(url).path.split("/"), "", ""]
        file = Attachment.at_public_url(pk, signature)
        return file if file and file.environment_id == self.token.environment_id else None

    def kept(self, file):
        if file is None or file.state == Attachment.State.DELETED:
            raise Problem(2003, "There is no such attachment.")
        if file.state != Attachment.State.STORED:
            raise Problem(2007, f"The bytes of {file.filename} are not here yet.")
        return file


def attachments_of(token):
    """What a key may send again or look at: what it uploaded, or another program of this environment where it is for
    the whole of it, and what is in its chats."""
    uploaded = Q(uploaded_by=token.actor_id)
    if token.line_id is None:
        uploaded |= Q(uploaded_by__is_program=True)
    ids = Attachment.objects.filter(
        seen_in(chats_of(token)) | uploaded, environment=token.environment_id
    ).values("pk")
    return Attachment.objects.filter(pk__in=ids)


def stands_elsewhere(token, file):
    """Whether a conversation that the key does not open has the file as well."""
    others = Chat.objects.filter(environment=token.environment_id).exclude(
        pk__in=chats_of(token).values("pk")
    )
    return token.line_id is not None and Attachment.objects.filter(seen_in(others), pk=file.pk).exists()


def seen_in(chats):
    return Q(parts__message__chat__in=chats) | Q(reactions__chat__in=chats) | Q(icon_of__in=chats)


def fingerprint_of(token, where, data):
    """Of all that a request asks for, without its key."""
    asked = data.model_dump(mode="json", exclude={"message": {"idempotency_key"}})
    told = orjson.dumps([str(token.line_id), where, asked], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(told).hexdigest()
