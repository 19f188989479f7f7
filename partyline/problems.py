"""What a program is told when something cannot be: the V3 error codes, their statuses and the envelope (contract §3)."""

import math

import orjson
from django.http import HttpResponse
from django.utils import timezone

from partyline import trace

DOC = "https://docs.linqapp.com/error/codes/{family}xxx/{code}/"
# The HTTP status of each code that this server answers with.
STATUSES = {
    1001: 400,
    1002: 400,
    1003: 400,
    1004: 400,
    1005: 400,
    1006: 409,
    1007: 429,
    2001: 404,
    2002: 404,
    2003: 404,
    2004: 401,
    2005: 403,
    2006: 403,
    2007: 404,
    2009: 409,
    2010: 404,
    2011: 403,
    2012: 404,
    2013: 409,
    2014: 409,
    2015: 409,
    2016: 409,
    2017: 409,
    2019: 404,
    2022: 500,
    2023: 409,
    2024: 403,
    2026: 403,
    2027: 403,
    3005: 504,
    3006: 500,
    4004: 503,
    4009: 503,
    4010: 503,
    5004: 400,
    5005: 400,
    5006: 400,
    5007: 400,
}
# 409s that another try may get past; of all others the SDK is told not to try again.
PASSING = {2009}


class Problem(Exception):
    """An answer that is no success: a V3 code, a sentence, and for limits after how many seconds to try again.
    The status follows from the code unless it is said."""

    def __init__(self, code, sentence, *, retry_after=None, status=None):
        super().__init__(sentence)
        self.code, self.sentence, self.retry_after = code, sentence, retry_after
        self.status = status or STATUSES.get(code, 400)


def problem_of(refusal):
    """A rule's refusal (its `number`, `sentence` and `until`), as a program is told of it."""
    wait = refusal.until and math.ceil((refusal.until - timezone.now()).total_seconds())
    return Problem(refusal.number, refusal.sentence, retry_after=wait and max(1, wait))


def answer(data, status=200):
    """`data` (dicts, lists, UUIDs, datetimes in UTC) as JSON."""
    content = orjson.dumps(data, option=orjson.OPT_UTC_Z)
    return HttpResponse(content, status=status, content_type="application/json")


def nothing(status=204):
    return HttpResponse(status=status, content_type="application/json")


def accepted(message):
    """The answer to what is queued; a webhook tells what becomes of it."""
    return answer({"status": "accepted", "message": message, "trace_id": trace.current()}, 202)


def envelope(problem):
    """The answer to a request that ended in `problem`."""
    error = {
        "status": problem.status,
        "code": problem.code,
        "message": problem.sentence,
        "doc_url": DOC.format(family=str(problem.code)[0], code=problem.code),
    }
    if problem.retry_after is not None:
        error["retry_after"] = problem.retry_after
    response = answer({"success": False, "error": error, "trace_id": trace.current()}, problem.status)
    response.code = problem.code
    if problem.retry_after is not None:
        response["Retry-After"] = str(problem.retry_after)
    if problem.status == 409 and problem.code not in PASSING:
        response["x-should-retry"] = "false"
    return response
