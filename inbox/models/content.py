"""What a message may hold (contract §5.1), each rule with the sentence that a person reads."""

import re
from dataclasses import dataclass

from django.template.defaultfilters import filesizeformat

from inbox.models import decorating, effects
from inbox.models.attachment import Attachment
from inbox.models.options import check_poll
from inbox.models.refusing import Refused

TEXT_LENGTH, LINK_LENGTH, PARTS = 10_000, 2_048, 100
VOICE_MEMO_BYTES = 10 * 1024 * 1024
VOICE_MEMO_TYPES = frozenset(
    f"audio/{name}"
    for name in [
        "mpeg",
        "mp3",
        "x-m4a",
        "m4a",
        "mp4",
        "aac",
        "x-aac",
        "x-caf",
        "wav",
        "x-wav",
        "wave",
        "aiff",
        "x-aiff",
        "amr",
    ]
)
NO_PART = "The message that this answers has no such part."
SERVICES = ("", "iMessage", "RCS", "SMS")
URL = re.compile(r"(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE)
ONLY_URL = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)


@dataclass
class Content:
    """A message that is to be sent. `parts` are dicts with `text`, `link`, `attachment` or `poll` (poll_of), and `extra`:
    what V3 has of such a part besides. `fingerprint` is of what a program asked for."""

    parts: list
    effect: dict | None = None
    original: object = None
    original_part: int = 0
    preferred_service: str = ""
    is_voice_memo: bool = False
    overrides_opt_out: bool = False
    frees_link: bool = False
    fingerprint: str = ""
    selection: dict | None = None

    @property
    def texts(self):
        return [part.get("text") or part.get("link") or "" for part in self.parts]

    @property
    def files(self):
        return [part["attachment"] for part in self.parts if part.get("attachment")]

    @property
    def reply_to(self):
        """As V3 has it. The original may still be without an id of the carrier's: it gets one when this leaves."""
        if self.original is None:
            return None
        return {"message_id": self.original.external_id, "part_index": self.original_part}

    def check(self, chat):
        """Raises Refused where the contract, the service or the conversation does not allow it. In the transaction
        in which it is sent or planned."""
        if chat.line_left_at:
            raise Refused(2013, f"{chat.line} has left this group.")
        check_poll(self, chat)
        self.check_files()
        self.check_parts()
        for part in self.parts:
            if part.get("extra") and "text" in part:
                decorating.check(part, chat)
        if self.preferred_service not in SERVICES:
            raise Refused(1005, f"There is no service “{self.preferred_service}”.")
        if self.is_voice_memo:
            self.check_voice_memo()
        if self.effect:
            self.check_effect(chat)
        if self.original is not None:
            self.check_reply(chat)
        if chat.is_new and not chat.environment.frees_first_messages:
            self.check_first()

    def check_files(self):
        """Locks them, so that nobody takes one away before it is part of something."""
        ids = sorted({file.pk for file in self.files})
        held = Attachment.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
        held = held.in_bulk(ids) if ids else {}
        for file in self.files:
            if file.pk not in held:
                raise Refused(1004, f"{file.filename} is not there any more. Attach it again.")
            if held[file.pk].state == "deleted":
                raise Refused(1004, f"{file.filename} was deleted.")

    def check_parts(self):
        if not any(
            text.strip() or part.get("attachment") or part.get("poll")
            for text, part in zip(self.texts, self.parts, strict=True)
        ):
            raise Refused(1004, "Write something, or attach a file.")
        if len(self.parts) > PARTS:
            raise Refused(1004, f"A message has {PARTS} parts at most.")
        if any("link" in part for part in self.parts) and len(self.parts) > 1:
            raise Refused(1004, "A link with a preview goes alone.")
        for part, following in zip(self.parts, self.parts[1:], strict=False):
            if "text" in part and "text" in following:
                raise Refused(1004, "Two texts cannot follow one another in one message.")
        for part, text in zip(self.parts, self.texts, strict=True):
            if "link" in part and len(text) > LINK_LENGTH:
                raise Refused(1004, f"A link has {LINK_LENGTH:,} characters at most.")
            if len(text) > TEXT_LENGTH:
                raise Refused(1004, f"That is longer than a message can be ({TEXT_LENGTH:,} characters).")
            if "text" in part and not text.strip():
                raise Refused(1004, "A text cannot be empty.")
            if "\0" in text:
                raise Refused(1004, "A text cannot hold the character NUL.")

    def check_voice_memo(self):
        files = [part.get("attachment") for part in self.parts]
        if len(files) != 1 or files[0] is None:
            raise Refused(1004, "A voice memo goes alone, without text or other files.")
        if files[0].mime_type not in VOICE_MEMO_TYPES:
            raise Refused(5004, "A voice memo is MP3, M4A, AAC, CAF, WAV, AIFF or AMR.")
        if files[0].size > VOICE_MEMO_BYTES:
            raise Refused(5005, f"The voice memo is {filesizeformat(files[0].size)}; 10 MB is the most.")

    def check_effect(self, chat):
        try:
            self.effect = effects.effect_named(self.effect.get("name"))
        except ValueError as error:
            raise Refused(1004, str(error)) from error
        service = self.preferred_service or chat.service
        if service in ("RCS", "SMS"):
            label = effects.label_of(self.effect)
            raise Refused(
                2017,
                f"Without {label.lower()}: effects are seen on iMessage only, and this goes by {service}.",
            )

    def check_reply(self, chat):
        if self.original.chat_id != chat.pk:
            raise Refused(2002, "The message that this answers is in another conversation.")
        if self.original.deleted_at:
            raise Refused(2002, "The message that this answers was deleted.")
        if self.original.failed_at and not self.original.external_id:
            raise Refused(2002, "The message that this answers never left.")
        if self.original_part >= max(1, self.original.parts.count()):
            raise Refused(1005, NO_PART)

    def check_first(self):
        if self.effect:
            raise Refused(1005, "The first message of a conversation cannot have an effect.")
        if self.original is not None:
            raise Refused(1005, "The first message of a conversation answers nothing yet.")
        if self.frees_link:
            return
        if any("link" in part for part in self.parts) or any(URL.search(text) for text in self.texts):
            raise Refused(
                1005,
                "A link in a first message is taken for spam, and refused. Send it once they have answered.",
            )


def parts_of(text, files=()):
    """The parts for what a person wrote: files first, then the text; a text that is only an address is a link."""
    parts = [{"attachment": file} for file in files]
    if text := text.strip():
        is_link = not parts and ONLY_URL.fullmatch(text) and len(text) <= LINK_LENGTH
        parts.append({"link": text} if is_link else {"text": text})
    return parts
