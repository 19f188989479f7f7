"""By which service a message goes, in words: what each choice means for the people of one conversation."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """One of the services to choose from; `refused` is why it cannot be chosen here."""

    value: str
    label: str
    means: str
    shown_as: str
    refused: str = ""


def choices_for(chat):
    """Automatic first, with the meaning that the seed gives each."""
    who = "The group" if chat.is_group else chat.others[0].first_name if chat.others else "This person"
    handle = chat.others[0] if len(chat.others) == 1 else None
    now = f" {who} gets {chat.service} now." if chat.service else ""
    lacks = f"{who} does not have it."
    return [
        Choice("", "Automatic", f"iMessage, then RCS, then SMS.{now}", chat.service or "iMessage"),
        Choice(
            "iMessage",
            "iMessage only",
            "Never becomes a text: where iMessage cannot be had it fails, and says so.",
            "iMessage",
            lacks if handle and handle.has_imessage is False else "",
        ),
        Choice(
            "RCS",
            "RCS",
            "RCS, or SMS where their phone lacks it. Never iMessage, so no effects.",
            "RCS",
            lacks if handle and handle.has_rcs is False else "",
        ),
        Choice("SMS", "SMS", "Never iMessage; RCS where their phone has it. No effects, no receipts.", "SMS"),
    ]
