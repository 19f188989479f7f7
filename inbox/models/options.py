"""What a poll of ours may hold, each rule with the sentence that a person reads."""

from django.utils import timezone
from uuid_utils.compat import uuid7

from inbox.models.refusing import Refused

FEWEST, MOST, LONGEST = 2, 12, 100


def poll_of(texts):
    """What a part of ours holds that is a poll with these options. What the carrier calls them it says later."""
    return {"type": "poll", "options": [option_of(text, place) for place, text in enumerate(texts)]}


def option_of(text, place=None):
    now = timezone.now().isoformat()
    return {
        "option_id": str(uuid7()),
        "external_id": "",
        "text": text.strip(),
        "creator": "",
        "can_be_edited": False,
        "place": place,
        "at": now,
        "since": now,
    }


def texts_in(poll):
    return [option["text"] for option in poll["options"]]


def check_texts(texts):
    """Raises Refused where these cannot be the options of a poll, each as it is kept."""
    if not all(texts) or any(len(text) > LONGEST or "\0" in text for text in texts):
        raise Refused(1005, f"An option has 1 to {LONGEST} characters.")
    if len(texts) > MOST:
        raise Refused(1005, f"A poll has {MOST} options at most.")
    if len(texts) < FEWEST:
        raise Refused(1005, "A poll has two options or more.")


def check_poll(content, chat):
    """Raises Refused where a Content that holds a poll cannot be sent here."""
    polls = [part["poll"] for part in content.parts if part.get("poll")]
    if not polls:
        return
    if len(content.parts) > 1:
        raise Refused(1004, "A poll goes alone, without text or files.")
    if content.effect or content.original is not None:
        raise Refused(1004, "A poll has no effect, and answers nothing.")
    if chat.is_new:
        raise Refused(1005, "A poll cannot be the first message of a conversation.")
    if (content.preferred_service or chat.service) != "iMessage":
        raise Refused(2017, "Polls are for iMessage only.")
    check_texts(texts_in(polls[0]))
