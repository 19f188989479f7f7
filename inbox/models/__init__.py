from inbox.models.attachment import Attachment
from inbox.models.chat import Chat, Participant
from inbox.models.contact import Contact, Handle
from inbox.models.message import Message
from inbox.models.part import Edit, Part
from inbox.models.reading import ChatRead, Draft

__all__ = [
    "Attachment",
    "Chat",
    "ChatRead",
    "Contact",
    "Draft",
    "Edit",
    "Handle",
    "Message",
    "Part",
    "Participant",
]
