from datetime import datetime
from uuid import UUID, uuid4, uuid5

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction

from inbox import zones
from inbox.models import Attachment, Chat, Label
from inbox.models.contact import normal_handle
from inbox.models.content import NO_PART, Content, parts_of
from inbox.models.grouping import MOST, NAME_LENGTH
from inbox.starting import texts_in
from lines.models import Line

MAX_FILES = 10
MAX_TOGETHER = 100 * 1024 * 1024
NOT_HERE = "The message that this answers is not in this conversation."


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    widget = FilesInput

    def clean(self, data, initial=None):
        files = [super(FilesField, self).clean(file, initial) for file in data or []]
        if len(files) > MAX_FILES:
            raise ValidationError(f"{MAX_FILES} files are the most for one message.")
        if sum(file.size for file in files) > MAX_TOGETHER:
            raise ValidationError("These files are more than 100 MB together.")
        return files


class LocalTimeField(forms.Field):
    """A date and time on the clocks of a zone that another field names; the `time_zone` of ClockForm."""

    default_error_messages = {
        "required": "Choose when it is to be sent.",
        "invalid": "That is no date and time. Write it as 2026-11-26 9:00.",
    }

    def to_python(self, value):
        if not value:
            return None
        try:
            day, _, clock = value.strip().replace(" ", "T").partition("T")
            return datetime.fromisoformat(f"{day}T{clock.rjust(5, '0')}").replace(tzinfo=None)
        except ValueError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class WritingForm(forms.Form):
    def written(self, write):
        """What `write` makes of the cleaned data; None where something is wrong, with the reason among the errors."""
        if not self.is_valid():
            return None
        try:
            return write(self.cleaned_data)
        except ValidationError as error:
            self.add_error(None, error)


class ClockForm(WritingForm):
    """When something is to be sent, in whose time, and whether to ask if they write before it."""

    send_at = LocalTimeField()
    time_zone = forms.CharField(max_length=64, error_messages={"required": "Choose a time zone."})
    asks_first = forms.BooleanField(required=False)

    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("send_at") and cleaned.get("time_zone"):
            try:
                cleaned["send_at"] = zones.moment(cleaned["send_at"], cleaned["time_zone"])
            except ValidationError as error:
                self.add_error("send_at", error)
        return cleaned


class NoteForm(WritingForm):
    """Its rules are those of Note; `key` is made by the browser, so that adding again is safe."""

    text = forms.CharField(required=False, strip=False)
    key = forms.UUIDField(required=False)


class SavedReplyForm(WritingForm):
    """Its rules are those of SavedReply, which are told of all at once."""

    title = forms.CharField(required=False)
    text = forms.CharField(required=False, strip=False)


class LabelForm(WritingForm):
    """Its rules are those of Label."""

    name = forms.CharField(required=False)
    colour = forms.CharField(required=False)
    colours = Label._meta.get_field("colour").choices


class MessageForm(forms.Form):
    """What the composer sends. `key` is made by the browser, one for each message, so that sending again is safe."""

    text = forms.CharField(
        required=False,
        strip=False,
        max_length=10_000,
        error_messages={"max_length": "That is longer than a message can be (10,000 characters)."},
    )
    key = forms.UUIDField(
        required=False, error_messages={"invalid": "This came without a key. Send it again."}
    )
    files = FilesField(required=False)
    # Ids of what was uploaded before; in order, ahead of `files`.
    uploads = forms.TypedMultipleChoiceField(
        required=False, coerce=UUID, error_messages={"invalid_choice": "That file is not there any more."}
    )
    service = forms.ChoiceField(
        choices=[("", "Automatic"), ("iMessage", "iMessage"), ("RCS", "RCS"), ("SMS", "SMS")],
        required=False,
        error_messages={"invalid_choice": "There is no such service."},
    )
    effect = forms.CharField(
        required=False, max_length=40, error_messages={"max_length": "There is no such effect."}
    )
    reply_to = forms.UUIDField(required=False, error_messages={"invalid": NOT_HERE})
    reply_part = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=99,
        error_messages=dict.fromkeys(["invalid", "min_value", "max_value"], NO_PART),
    )
    is_voice_memo = forms.BooleanField(required=False)

    def __init__(self, *args, user, environment, **kwargs):
        super().__init__(*args, **kwargs)
        self.user, self.environment = user, environment
        self.kept = []
        asked = self.data.getlist("uploads") if hasattr(self.data, "getlist") else []
        if ids := [text for text in asked if is_uuid(text)]:
            mine = Attachment.objects.filter(environment=environment, uploaded_by=user, state="stored")
            self.kept = list(mine.filter(pk__in=ids))
        self.fields["uploads"].choices = [(str(file.pk), file.filename) for file in self.kept]

    def clean(self):
        cleaned = super().clean()
        if not self.errors and not (cleaned["text"].strip() or cleaned["files"] or cleaned["uploads"]):
            raise ValidationError("Write something, or attach a file.")
        return cleaned

    def send(self, chat, *, by):
        """Send it from `chat`; ValidationError where it cannot be sent or the key is another message's."""
        key = str(self.cleaned_data["key"] or uuid4())
        message = chat.environment.messages.filter(idempotency_key=key).first()
        if message is None:
            message = chat.send(by=by, content=self.content(chat), key=key)
        if message.chat_id != chat.pk:
            raise ValidationError("This was sent from another conversation. Send it once more.")
        return message

    def content(self, chat):
        cleaned = self.cleaned_data
        by_id = {file.pk: file for file in self.kept}
        files = [by_id[pk] for pk in dict.fromkeys(cleaned["uploads"])]
        files += [Attachment.keep(chat.environment, file, by=self.user) for file in cleaned["files"]]
        original = None
        if cleaned["reply_to"]:
            original = chat.messages.filter(pk=cleaned["reply_to"]).first()
            if original is None:
                raise ValidationError(NOT_HERE)
        return Content(
            parts_of(cleaned["text"], files),
            effect={"name": cleaned["effect"]} if cleaned["effect"] else None,
            original=original,
            original_part=cleaned["reply_part"] or 0,
            preferred_service=cleaned["service"],
            is_voice_memo=cleaned["is_voice_memo"],
        )


class ScheduleForm(ClockForm, MessageForm):
    """What the composer sends where it is to leave later."""

    def schedule(self, chat, *, by):
        cleaned = self.cleaned_data
        return chat.schedule(
            self.content(chat),
            send_at=cleaned["send_at"],
            time_zone=cleaned["time_zone"],
            asks_first=cleaned["asks_first"],
            by=by,
            key=cleaned["key"],
        )


class LaterForm(ClockForm):
    """What is to be sent later, changed. `seen` is when it had last been changed, as the person knows it."""

    text = forms.CharField(required=False, strip=False)
    seen = forms.DateTimeField(required=False, input_formats=["%Y-%m-%dT%H:%M:%S.%f%z"])

    @staticmethod
    def of(scheduled):
        return {
            "text": scheduled.text,
            "send_at": scheduled.local_send_at,
            "time_zone": scheduled.time_zone,
            "asks_first": scheduled.asks_first,
            "seen": scheduled.changed_at.isoformat(),
        }

    def change(self, scheduled, *, by):
        scheduled.change(by=by, **self.cleaned_data)
        return scheduled


def is_uuid(text):
    try:
        UUID(text)
    except ValueError:
        return False
    return True


class StartForm(MessageForm):
    """A new conversation: from which line, to whom, and its first message."""

    line = forms.ModelChoiceField(
        Line.objects.none(), error_messages={"required": "Choose the line that it comes from."}
    )
    to = forms.CharField(error_messages={"required": "Whom is it for? Type a name, a number or an e-mail."})
    # Of a group; the carrier gives it once the group is there.
    name = forms.CharField(
        required=False,
        max_length=NAME_LENGTH,
        error_messages={"max_length": f"A name has 1 to {NAME_LENGTH} characters."},
    )

    def __init__(self, *args, user, environment, **kwargs):
        super().__init__(*args, user=user, environment=environment, **kwargs)
        lines = Line.objects.answerable_by(user).filter(environment=environment)
        self.fields["line"].queryset = lines.order_by("name", "phone_number")

    def clean_to(self):
        """Normal handles, each once; numbers without a country are read as those of the line's."""
        line = self.cleaned_data.get("line")
        country = line.country if line else "US"
        handles = [normal_handle(text, country) for text in texts_in([self.cleaned_data["to"]])]
        handles = list(dict.fromkeys(handles))
        if not handles:
            raise ValidationError(self.fields["to"].error_messages["required"])
        if len(handles) >= MOST:
            raise ValidationError(f"A group has {MOST} members at most, our line among them.")
        if ours := self.fields["line"].queryset.filter(phone_number__in=handles).first():
            raise ValidationError(f"{ours} is a line of ours. Write to somebody else.")
        return handles

    @transaction.atomic
    def start(self, *, by):
        """The chat of these people, new or not, with the message in it."""
        chat = Chat.start(self.cleaned_data["line"], self.cleaned_data["to"], by=by)
        self.send(chat, by=by)
        if chat.is_group and self.cleaned_data["name"]:
            chat.rename(self.cleaned_data["name"], by=by)
        return chat

    @transaction.atomic
    def start_each(self, *, by):
        """A chat with each of them alone, and the message in each of them once, however often this is asked."""
        line, key = self.cleaned_data["line"], self.cleaned_data["key"] or uuid4()
        chats = [Chat.start(line, [address], by=by) for address in self.cleaned_data["to"]]
        content = self.content(chats[0])
        for chat, address in zip(chats, self.cleaned_data["to"], strict=True):
            chat.send(by=by, content=content, key=str(uuid5(key, address)))
        return chats
