from partyline import trace as tracing


def trace(get_response):
    """Every request begins a trace and tells it; a caller's own traceparent is not adopted."""

    def middleware(request):
        request.trace_id = tracing.begin()
        response = get_response(request)
        response["X-Trace-ID"] = request.trace_id
        return response

    return middleware


def permissions_policy(get_response):
    def middleware(request):
        response = get_response(request)
        response["Permissions-Policy"] = "camera=(self), microphone=(self), geolocation=(), payment=()"
        return response

    return middleware
