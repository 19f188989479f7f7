"""Shapes that every app's endpoints share, and what the OpenAPI document says of an operation's answers."""

from typing import Literal

from pydantic import BaseModel


class ErrorBody(BaseModel):
    status: int
    code: int
    message: str
    doc_url: str
    retry_after: int | None = None


class ErrorEnvelope(BaseModel):
    """What every answer is that is no success."""

    success: Literal[False]
    error: ErrorBody
    trace_id: str


class Acknowledgement(BaseModel):
    """It is queued; what becomes of it is told by a webhook."""

    status: str
    message: str
    trace_id: str


def answers(success, shape, *errors):
    """For ninja's `response`: `shape` (or None) with `success`, and the envelope with what may go wrong everywhere, and
    with the statuses `errors`."""
    return {success: shape} | dict.fromkeys((400, 401, 403, 405, 500, 503, *errors), ErrorEnvelope)
