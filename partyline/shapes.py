"""Shapes that every app's endpoints share, and the OpenAPI document."""

from http import HTTPStatus
from typing import Literal

from ninja import NinjaAPI
from pydantic import BaseModel

# What may go wrong with any request, or with any of one kind.
ERRORS = (400, 401, 403, 404, 405, 409, 413, 429, 500, 503, 504)


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


class Api(NinjaAPI):
    def get_openapi_schema(self, *, path_prefix="/", path_params=None):
        """Each operation with its success, and the envelope for whatever goes wrong."""
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        shape = ErrorEnvelope.model_json_schema(ref_template="#/components/schemas/{model}")
        shapes = schema["components"]["schemas"]
        shapes |= shape.pop("$defs") | {"ErrorEnvelope": shape}
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorEnvelope"}}}
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status in ERRORS:
                    told = {"description": HTTPStatus(status).phrase, "content": content}
                    operation["responses"].setdefault(status, told)
        return schema


def answers(success, shape, *errors):
    """For ninja's `response`: `shape` (or None) with `success`, and the envelope with `errors`, which are this
    operation's own; what may go wrong everywhere is in the document anyway."""
    return {success: shape} | dict.fromkeys(errors, ErrorEnvelope)
