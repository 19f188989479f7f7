"""The V3 API: which app answers what, and how it says what goes wrong. Shapes and limits are those of the contract."""

import math
import time

import orjson
import structlog
from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404, HttpRequest
from django.urls import re_path, resolve
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser

from inbox.api import router as inbox
from inbox.api.attachments import upload
from inbox.models.refusing import Refused
from lines.api import router as lines
from lines.api.auth import identify
from lines.gateways import PermanentFailure, TemporaryFailure
from lines.models import ApiRequest
from lines.requests_log import requests_log
from partyline import trace
from partyline.documentation.views import openapi
from partyline.problems import STATUSES, Problem, envelope, problem_of
from partyline.shapes import Api
from webhooks.api import router as webhooks

log = structlog.get_logger()

# What a wrong value of these fields is called (contract §3): a number, or what a message says.
NUMBERS = {
    "address",
    "exclude_from",
    "forwarding_number",
    "from",
    "handle",
    "phone_number",
    "phone_numbers",
    "to",
}
SAID = "message"
# What a carrier says of our key there: to a program it would sound as if its own were meant.
OUR_ACCOUNT = (2004, 2005)


class Bodies(Parser):
    def parse_body(self, request: HttpRequest):
        """An empty body is an empty object: SDKs send one with every write."""
        return orjson.loads(request.body or b"{}")


api = Api(
    title="Partyline", version="v3", docs_url=None, openapi_url=None, parser=Bodies(), urls_namespace="v3"
)
api.add_router("", lines)
api.add_router("", inbox)
api.add_router("", webhooks)


@api.exception_handler(Problem)
def problem(request, problem):
    return envelope(problem)


@api.exception_handler(Refused)
def refused(request, refusal):
    return envelope(problem_of(refusal))


@api.exception_handler(ValidationError)
def misshapen(request, error):
    return envelope(problem_in(error.errors))


@api.exception_handler(DjangoValidationError)
def not_valid(request, error):
    """What a model does not take: its own sentences."""
    return envelope(Problem(1005, " ".join(error.messages)))


@api.exception_handler(TemporaryFailure)
def carrier_failed(request, failure):
    """The carrier was asked at once, and could not answer."""
    if failure.code == 1007:
        wait = max(1, math.ceil(failure.retry_after.total_seconds()))
        return envelope(Problem(1007, "The carrier is asked too often.", retry_after=wait))
    code = failure.code if STATUSES.get(failure.code) in (503, 504) else 4004
    return envelope(Problem(code, f"{failure.reason}. Try again in a moment."))


@api.exception_handler(PermanentFailure)
def carrier_refused(request, failure):
    is_of_ours = failure.code in OUR_ACCOUNT or failure.code not in STATUSES
    code = 4004 if is_of_ours else failure.code
    return envelope(Problem(code, f"{failure.reason}."))


@api.exception_handler(RequestDataTooBig)
def too_large(request, error):
    return envelope(Problem(1003, "The body is larger than it can be.", status=413))


@api.exception_handler(HttpError)
def unreadable(request, error):
    return envelope(Problem(1003, "The body is no JSON object."))


@api.exception_handler(Exception)
def failed(request, error):
    log.exception("api_failed")
    return envelope(Problem(3006, "Something went wrong on our side. Tell us the trace_id."))


def problem_in(errors):
    """The first of pydantic's errors, as the contract calls it."""
    first = errors[0]
    where = [str(step) for step in first["loc"] if step not in ("body", "query", "path", "data")]
    name = ".".join(where) or "body"
    if first["type"] == "missing":
        return Problem(1001, f"{name} is required.")
    said = first["msg"].removeprefix("Value error, ")
    said = said[:1].lower() + said[1:]
    if first["type"] == "value_error" and not where:
        # What is said of several fields together.
        return Problem(1005, f"{said[:1].upper()}{said[1:]}.")
    if NUMBERS & set(where):
        return Problem(1002, f"{name}: {said}.")
    if SAID in where:
        return Problem(1004, f"{name}: {said}.")
    return Problem(1003 if not where else 1005, f"{name}: {said}.")


# Paths of the contract that Partyline does not serve: what moves money, and what runs in the carrier's own app.
NOT_SERVED = r"(?:payments|payment_requests|experiences|calls)(?:/|$)|messages/[^/]+/update$"


def not_served(request):
    return refuse(request, Problem(2011, "Partyline does not offer this."))


def refuse(request, problem):
    """What no operation answers, which is told and written down for keys that work, and for others as everywhere."""
    try:
        identify(request)
    except Problem as stranger:
        return envelope(stranger)
    return envelope(problem)


urlpatterns = [
    re_path(r"^(?:api/partner/)?v3/uploads/(?P<signed>[^/]+)$", upload),
    re_path(rf"^(?:api/partner/)?v3/(?:{NOT_SERVED})", not_served),
    re_path(r"^(?:api/partner/)?v3/openapi\.json$", openapi),
    re_path(r"^(?:api/partner/)?v3/", api.urls),
]


def serve(request):
    """The answer to a program, which is JSON whatever happens, and written down for those who run it."""
    began = time.perf_counter()
    response = answer_to(request)
    if token := getattr(request, "token", None):
        requests_log.add(
            ApiRequest(
                environment_id=token.environment_id,
                token=token,
                # As far as a row can hold what somebody made up.
                method=request.method[:7],
                path=request.path.replace("\0", "\ufffd")[:300],
                status=response.status_code,
                code=getattr(response, "code", None),
                milliseconds=round((time.perf_counter() - began) * 1000),
                trace_id=trace.current(),
            )
        )
    return response


def answer_to(request):
    try:
        request.resolver_match = found = resolve(request.path_info, __name__)
        response = found.func(request, *found.args, **found.kwargs)
    except Http404:
        return refuse(request, Problem(1005, f"There is no {request.path} here.", status=404))
    except Exception as error:
        # Uploads are no operation, and their failures are told as those of operations are.
        return failed(request, error)
    if response.status_code == 405 and not hasattr(response, "code"):
        refusal = refuse(request, Problem(1005, f"{request.path} has no {request.method}.", status=405))
        refusal["Allow"] = response["Allow"]
        return refusal
    return response
