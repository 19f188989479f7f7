from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError

from inbox.models import Attachment, Chat
from inbox.models.contact import normal_handle
from lines.models import Line

MAX_FILES = 10
MAX_TOGETHER = 100 * 1024 * 1024


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


class MessageForm(forms.Form):
    """Text, files or both. `key` is made by the browser, one for each text, so that sending again is safe."""

    text = forms.CharField(
        required=False,
        strip=False,
        max_length=10_000,
        error_messages={"max_length": "That is longer than a message can be (10,000 characters)."},
    )
    key = forms.UUIDField(required=False)
    files = FilesField(required=False)

    def clean(self):
        cleaned = super().clean()
        if not self.errors and not cleaned["text"].strip() and not cleaned["files"]:
            raise ValidationError("Write something, or attach a file.")
        return cleaned

    def send(self, chat, *, by):
        """Send it from `chat`; ValidationError where a file cannot be sent or the key is another message's."""
        key = str(self.cleaned_data["key"] or uuid4())
        message = chat.environment.messages.filter(idempotency_key=key).first()
        if message is None:
            files = [Attachment.keep(chat.environment, file) for file in self.cleaned_data["files"]]
            parts = [{"attachment": file} for file in files]
            if text := self.cleaned_data["text"].strip():
                parts.append({"text": text})
            message = chat.send(by=by, parts=parts, key=key)
        if message.chat_id != chat.pk:
            raise ValidationError("This was sent from another conversation. Send it once more.")
        return message


class StartForm(MessageForm):
    """A new conversation: from which line, to whom, and its first message."""

    line = forms.ModelChoiceField(
        Line.objects.none(), error_messages={"required": "Choose the line that it comes from."}
    )
    to = forms.CharField(error_messages={"required": "Whom is it for? Type a name, a number or an e-mail."})

    def __init__(self, *args, user, environment, **kwargs):
        super().__init__(*args, **kwargs)
        lines = Line.objects.answerable_by(user).filter(environment=environment)
        self.fields["line"].queryset = lines.order_by("name", "phone_number")

    def clean_to(self):
        """Normal handles, each once; the line's country is not known yet, so numbers are read as its default."""
        texts = list(self.cleaned_data["to"].replace("\n", ",").replace(";", ",").split(","))
        handles = [normal_handle(text) for text in texts if text.strip()]
        if not handles:
            raise ValidationError(self.fields["to"].error_messages["required"])
        return list(dict.fromkeys(handles))

    def start(self, *, by):
        """The chat of these people, new or not, with the message in it."""
        chat = Chat.start(self.cleaned_data["line"], self.cleaned_data["to"], by=by)
        self.send(chat, by=by)
        return chat
