"""API → documentation, and the OpenAPI document itself."""

from functools import cache

import orjson
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import render

from lines.examples import open_requests
from lines.shortcuts import admin_of
from partyline.documentation.guides import GUIDES
from partyline.documentation.reading import chapters
from partyline.problems import DOC, STATUSES, answer
from webhooks.events import FAMILIES, VERSIONS
from webhooks.retrying import SCHEDULES

PREFIX = "/v3/"
MEANINGS = {
    1001: "A required field is missing",
    1002: "A phone number is not written like +12025550100",
    1003: "The body cannot be read",
    1004: "The message says something that cannot be sent",
    1005: "A parameter is wrong",
    1006: "Only groups can do this",
    1007: "Too fast; wait as long as Retry-After says",
    2001: "There is no such conversation",
    2002: "There is no such message",
    2003: "There is no such file",
    2004: "There is no such key, or it works no longer",
    2005: "The key may not do this",
    2006: "The number is none of yours",
    2007: "The file was not uploaded yet",
    2009: "The conversation is being made; try again",
    2010: "There is no such subscription",
    2011: "This is not offered here",
    2012: "The line has no contact card",
    2013: "Our line has left this conversation",
    2014: "The line has a contact card already",
    2015: "It conflicts with how things stand",
    2016: "Groups cannot do this",
    2017: "The service of this conversation cannot do this",
    2019: "There is no such number",
    2022: "The contact card was not set up; ask again",
    2023: "Nobody is mentioned in a conversation of two",
    2024: "They have opted out",
    2026: "They are on your block list",
    2027: "The line cannot send: flagged or paused",
    3005: "The carrier did not answer in time",
    3006: "Something went wrong on our side",
    4004: "The service is not available now",
    4009: "The line has no RCS",
    4010: "RCS could not be asked",
    5004: "Files of this kind cannot be sent",
    5005: "The file is too large",
    5006: "The bytes are not what the content type says",
    5007: "The picture could not be fetched",
}


@cache
def document():
    """The OpenAPI document of /v3; it is the same for everybody and says nothing secret."""
    from partyline.api import api

    # As programs get it: its statuses are numbers until then.
    schema = orjson.dumps(api.get_openapi_schema(path_prefix=PREFIX), option=orjson.OPT_NON_STR_KEYS)
    return orjson.loads(schema)


@cache
def reference():
    return chapters(document(), base=settings.PUBLIC_URL, scopes=scopes())


def scopes():
    """What a key has to be allowed, by the operation's id."""
    from partyline.api import api

    views = [view for _, router in api._routers for view in router.path_operations.values()]
    operations = [operation for view in views for operation in view.operations]
    return {
        operation.operation_id: callback.scope
        for operation in operations
        for callback in operation.auth_callbacks
        if hasattr(callback, "scope")
    }


def openapi(request):
    """For generators and for machines that check; nobody has to have a key."""
    return answer(document())


@login_required
def documentation(request, chapter=""):
    """The guides, or a chapter of the reference."""
    environment = admin_of(request)
    found = next((one for one in reference() if one.slug == chapter), None)
    if chapter and found is None:
        raise Http404("There is no such chapter")
    context = {
        "chapter": found,
        "chapters": reference(),
        "guides": GUIDES,
        "base": settings.PUBLIC_URL,
        "samples": open_requests(environment),
        "codes": [(code, status, MEANINGS.get(code, "")) for code, status in sorted(STATUSES.items())],
        "doc": DOC,
        "families": FAMILIES,
        "versions": VERSIONS,
        "schedules": SCHEDULES,
    }
    return render(request, "docs/docs.html", context)
