"""The trace_id: made at the border (request, receipt, task), carried in the log context."""

import secrets

import structlog


def new_trace_id():
    """32 lower-case hex characters, as V3 and W3C trace context have them."""
    return secrets.token_hex(16)


def begin(trace_id=None):
    """Start a new unit of work in this context; returns its trace_id."""
    trace_id = trace_id or new_trace_id()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(trace_id=trace_id)
    return trace_id


def current():
    """The trace_id of this unit of work; makes one where none was begun."""
    return structlog.contextvars.get_contextvars().get("trace_id") or begin()
