"""Where in one conversation something was found, and what else was found in it."""

import json

from inbox.search.highlights import plain
from inbox.search.messages import found_for

# Of one conversation so many are counted.
COUNTED = 1000


def among(question, meaning, chat, found):
    """For the bar and the marks of a conversation: `found` is the message or note that is shown, or None."""
    context = {"found_words": words_of(question)}
    if found is None or not question or meaning.problems:
        return context
    if meaning.chat is None:
        meaning.of_message.append("message.chat_id = %(chat)s")
        if meaning.of_note is not None:
            meaning.of_note.append("note.chat_id = %(chat)s")
        meaning.parameters["chat"], meaning.is_narrow = chat.pk, True
    ids, has_more = found_for(question, meaning, limit=COUNTED)
    ids.reverse()
    if found.pk not in ids:
        return context
    at = ids.index(found.pk)
    return context | {
        "among": {
            "place": at + 1,
            "count": f"{COUNTED}+" if has_more else len(ids),
            "older": ids[at - 1] if at else None,
            "newer": ids[at + 1] if at + 1 < len(ids) else None,
        }
    }


def words_of(question):
    """What the browser marks in the conversation: plain words, and whether the last of them may go on."""
    terms = [[[plain(word)[0] for word in term.words], term.goes_on] for term in question.terms]
    return json.dumps(terms) if terms else ""
