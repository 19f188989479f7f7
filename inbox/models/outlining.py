from django.db import models


class Outlined(models.Model):
    """The ability of a message to be told in one line. Uses prefetched parts where there are some."""

    class Meta:
        abstract = True

    @property
    def preview(self):
        if self.deleted_at:
            return "Message deleted"
        parts = list(self.parts.all())
        if text := next((part.text for part in parts if part.text), ""):
            return " ".join(text.split())[:200]
        if other := next((part for part in parts if part.kind == part.Kind.OTHER), None):
            return other.in_a_line[:200]
        files = [part.attachment for part in parts if part.attachment]
        if not files:
            return "A message without content"
        if len(files) == 1:
            return self.outline_of(files[0])
        noun = "photos" if all(file.is_image for file in files) else "files"
        return f"{len(files)} {noun}"

    def outline_of(self, file):
        if file.card.get("name"):
            return f"Contact: {file.card['name']}"
        if file.card.get("starts"):
            return f"Appointment: {file.card.get('title') or file.filename}"
        return "Voice memo" if self.is_voice_memo or file.is_audio else file.filename

    @property
    def preview_icon(self):
        """The icon before the line; "" where its words say it all."""
        parts = list(self.parts.all())
        if self.deleted_at or not parts or any(part.text for part in parts):
            return ""
        if other := next((part for part in parts if part.kind == part.Kind.OTHER), None):
            return "chart-bar" if other.is_poll else "smartphone"
        if all(part.shown_as == "photos" for part in parts):
            return "image"
        files = [part.attachment for part in parts if part.attachment]
        return "mic" if files and all(file.is_audio for file in files) else ""
