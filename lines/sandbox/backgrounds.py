"""What is behind a thread, whoever changes it: our line (`by` None) or one of its phones."""

from django.db import transaction

from lines.models.sandbox import SandboxHappening
from lines.sandbox import happenings, outbox
from lines.sandbox.groups import cannot, locked, moment, note

NAMES = ("variant", "type")


@transaction.atomic
def change(chat, background, *, by=None):
    """`background` as V3 has it, None for none. RCS and SMS take it as well; nothing is shown there, and nothing told."""
    chat, at = locked(chat), moment(by)
    if chat.service != "iMessage":
        return
    chat.background = background
    chat.save(update_fields=["background"])
    name = next((background[name] for name in NAMES if background.get(name)), "") if background else "none"
    note(chat, SandboxHappening.Kind.BACKGROUND, at, by=by, value=name)
    outbox.queue(chat.environment, [happenings.background(chat, by, at)])


@transaction.atomic
def refuse(chat):
    cannot(locked(chat), "background", moment(None))
