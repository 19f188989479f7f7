"""What goes over the wire to an account, against the official client's own models of it."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin, is_typeddict

import httpx
from linq import types
from linq._utils import PropertyInfo
from linq.types import chats, messages
from typing_extensions import get_type_hints
from typing_extensions import is_typeddict as is_extended

from tests.api.conftest import Door

# Method and path of each request with a body or a query, and the client's model of that.
MODELS = {
    ("GET", r"/v3/chats"): types.ChatListChatsParams,
    ("POST", r"/v3/chats"): types.ChatCreateParams,
    ("PUT", r"/v3/chats/[^/]+"): types.ChatUpdateParams,
    ("GET", r"/v3/chats/[^/]+/messages"): chats.MessageListParams,
    ("POST", r"/v3/chats/[^/]+/messages"): chats.MessageSendParams,
    ("POST", r"/v3/chats/[^/]+/voicememo"): types.ChatSendVoicememoParams,
    ("POST", r"/v3/chats/[^/]+/polls"): chats.PollCreateParams,
    ("POST", r"/v3/chats/[^/]+/participants"): chats.ParticipantAddParams,
    ("DELETE", r"/v3/chats/[^/]+/participants"): chats.ParticipantRemoveParams,
    ("POST", r"/v3/chats/[^/]+/background"): chats.BackgroundSetParams,
    ("DELETE", r"/v3/chats/[^/]+/location"): chats.LocationStopParams,
    ("POST", r"/v3/messages/[^/]+/reactions"): types.MessageAddReactionParams,
    ("PATCH", r"/v3/messages/[^/]+/reactions/[^/]+"): types.MessageUpdateStickerPlacementParams,
    ("PATCH", r"/v3/messages/[^/]+"): types.MessageUpdateParams,
    ("POST", r"/v3/messages/[^/]+/poll/options"): messages.PollAddOptionsParams,
    ("POST", r"/v3/messages/[^/]+/poll/votes"): messages.PollVoteParams,
    ("POST", r"/v3/attachments"): types.AttachmentCreateParams,
    ("POST", r"/v3/capability/check_imessage"): types.CapabilityCheckIMessageParams,
    ("POST", r"/v3/capability/check_rcs"): types.CapabilityCheckRCSParams,
    ("POST", r"/v3/blocked_handles"): types.BlockedHandleBlockParams,
    ("DELETE", r"/v3/blocked_handles"): types.BlockedHandleUnblockParams,
    ("PUT", r"/v3/phone_numbers/[^/]+"): types.PhoneNumberUpdateParams,
    ("POST", r"/v3/contact_card"): types.ContactCardCreateParams,
    ("PATCH", r"/v3/contact_card"): types.ContactCardUpdateParams,
    ("POST", r"/v3/webhook-subscriptions"): types.WebhookSubscriptionCreateParams,
    ("PUT", r"/v3/webhook-subscriptions/[^/]+"): types.WebhookSubscriptionUpdateParams,
}


class RecordingDoor(httpx.BaseTransport):
    """Into our own server, by a list of what went."""

    def __init__(self):
        self.door, self.requests = Door(), []

    def handle_request(self, request):
        content = request.read()
        if "json" in request.headers.get("content-type", "json"):
            self.requests.append((request.method, request.url, content))
        return self.door.handle_request(request)


def wrong_in(requests):
    """What is not as the client's models have it, in words."""
    for method, url, content in requests:
        path = url.path.removeprefix("/api/partner")
        if not path.startswith("/v3/"):
            continue
        told = dict(url.params) | (json.loads(content) if content else {})
        model = next(
            (
                model
                for (verb, shape), model in MODELS.items()
                if verb == method and re.fullmatch(shape, path)
            ),
            None,
        )
        if model is None and told:
            yield f"{method} {path} says {told}, for which there is no model"
        elif model is not None:
            if method == "GET":
                told = {name: int(value) if value.isdigit() else value for name, value in told.items()}
            yield from (f"{method} {path}: {problem}" for problem in problems(told, model))


def problems(value, shape, where=""):
    """Where `value` differs from an annotation of the client."""
    origin, inner = get_origin(shape), get_args(shape)
    if origin in (Annotated, Required, NotRequired):
        return problems(value, inner[0], where)
    if is_typeddict(shape) or is_extended(shape):
        return problems_of_object(value, shape, where)
    if origin in (Union, UnionType):
        found = [problems(value, one, where) for one in inner]
        return [] if any(not one for one in found) else min(found, key=len)
    if origin is Literal:
        return [] if value in inner else [f"{where} is {value!r}, none of {inner}"]
    if shape in (Any, object) or (origin and issubclass(origin, Mapping)):
        return []
    if origin is not None and (issubclass(origin, Iterable) or origin.__name__ == "SequenceNotStr"):
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [one for item in value for one in problems(item, inner[0], f"{where}[]")]
    kinds = {float: (int, float), datetime: str, NoneType: NoneType, None: NoneType}
    kind = kinds.get(shape, shape)
    is_other = isinstance(value, bool) and shape is not bool
    return [] if isinstance(value, kind) and not is_other else [f"{where} is {value!r}, no {shape}"]


def problems_of_object(value, shape, where):
    if not isinstance(value, dict):
        return [f"{where} is no object"]
    fields = {
        alias_of(hint) or name: hint for name, hint in get_type_hints(shape, include_extras=True).items()
    }
    found = [f"{where}.{name} is not known" for name in value.keys() - fields.keys()]
    needed = {name for name, hint in fields.items() if get_origin(hint) is Required}
    found += [f"{where}.{name} is missing" for name in needed - value.keys()]
    for name in value.keys() & fields.keys():
        found += problems(value[name], fields[name], f"{where}.{name}")
    return found


def alias_of(hint):
    """What the wire calls a field, where that is no name in Python."""
    if get_origin(hint) in (Required, NotRequired):
        return alias_of(get_args(hint)[0])
    if get_origin(hint) is Annotated:
        return next((one.alias for one in get_args(hint)[1:] if isinstance(one, PropertyInfo)), None)
    return None
