import re

from partyline import trace as tracing

PROGRAMS = re.compile(r"^/(?:api/partner/)?v3(?:/|$)")


def trace(get_response):
    """Every request begins a trace and tells it; a caller's own traceparent is not adopted."""

    def middleware(request):
        request.trace_id = tracing.begin()
        response = get_response(request)
        response["X-Trace-ID"] = request.trace_id
        return response

    return middleware


def programs(get_response):
    """Requests of programs: they have no session, no form and no page, so nothing of that is made for them."""
    from partyline import api

    def middleware(request):
        return api.serve(request) if PROGRAMS.match(request.path_info) else get_response(request)

    return middleware


def invalid_forms(get_response):
    """Pages of packages, which answer 200 to a form that they refuse, say 422 as ours do."""

    def middleware(request):
        response = get_response(request)
        form = (getattr(response, "context_data", None) or {}).get("form")
        if request.method == "POST" and response.status_code == 200 and getattr(form, "errors", None):
            response.status_code = 422
        return response

    return middleware


def permissions_policy(get_response):
    def middleware(request):
        response = get_response(request)
        response["Permissions-Policy"] = "camera=(self), microphone=(self), geolocation=(), payment=()"
        return response

    return middleware
