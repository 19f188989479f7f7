"""Once for each key: how a message of a program comes to be, whatever the endpoint."""

from django.db import transaction

from inbox.api.contents import content_of, fingerprint_of
from inbox.models import Message
from partyline.problems import answer


def send_once(request, data, *, where, place, key=None, frees_link=False, make=content_of, makes_chat=True):
    """The message for this request: a new one in the chat that `place(content)` finds or makes, or the one that its key
    has made; with `makes_chat` in one transaction with the chat. `where` is what of the request besides `data` says where it goes. Problem or Refused where not."""
    environment, actor = request.environment, request.token.actor
    fingerprint = fingerprint_of(request.token, where, data) if key else ""
    if known := key and Message.under_key(environment.pk, key, fingerprint=fingerprint):
        return known
    content = make(request, data, frees_link=frees_link)
    content.fingerprint = fingerprint
    if not key and not makes_chat:
        return place(content).send(by=actor, content=content)
    with transaction.atomic():
        if key:
            # Before the chat, of which another with this key may be making one right now.
            Message.hold_key(environment.pk, key)
            if known := Message.under_key(environment.pk, key, fingerprint=fingerprint):
                return known
        return place(content).send(by=actor, content=content, key=key)


def answer_of(message, data, status=200):
    """The answer, with the guard's word where it holds the message or warns of it: V3 has no field for that. Until when it
    is held stands there where that is known."""
    response = answer(data, status)
    verdict = message.verdict if message.verdict.get("rule") else {}
    if verdict:
        until = f"; until={verdict['until']}" if verdict.get("until") else ""
        response["X-Guard"] = f"{verdict['action']}; rule={verdict['rule']}{until}"
        response["X-Guard-Reason"] = verdict["reason"]
    return response
