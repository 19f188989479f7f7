from inbox.models.attachment import Attachment
from inbox.models.chat import Chat, Participant
from inbox.models.contact import Contact, Handle
from inbox.models.errand import Errand
from inbox.models.figures import AnswerTimes, FailureFigures, Figures, FiguresCursor, TeamTimes, WeekHours
from inbox.models.label import ChatLabel, Label
from inbox.models.location import LocationShare
from inbox.models.message import Message
from inbox.models.note import Note
from inbox.models.part import Edit, Part
from inbox.models.poll import PollVote
from inbox.models.reaction import Reaction
from inbox.models.reading import ChatRead, Draft
from inbox.models.refusing import Refused
from inbox.models.saved_reply import SavedReply
from inbox.models.scheduled import ScheduledSend

__all__ = [
    "AnswerTimes",
    "Attachment",
    "Chat",
    "ChatLabel",
    "ChatRead",
    "Contact",
    "Draft",
    "Edit",
    "Errand",
    "FailureFigures",
    "Figures",
    "FiguresCursor",
    "Handle",
    "Label",
    "LocationShare",
    "Message",
    "Note",
    "Part",
    "Participant",
    "PollVote",
    "Reaction",
    "Refused",
    "SavedReply",
    "ScheduledSend",
    "TeamTimes",
    "WeekHours",
]
