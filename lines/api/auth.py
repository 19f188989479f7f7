"""Who asks: the key of a program, and how far it opens."""

import structlog
from ninja.security import HttpBearer

from lines.models import ApiToken
from partyline.problems import Problem


def identify(request):
    """The token that asks; a Problem where there is none that works."""
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    token = None
    if kind.lower() == "bearer" and key:
        found = ApiToken.objects.by_key(key.strip())
        token = found.select_related("environment", "actor").first()
    if token is None:
        raise Problem(2004, "There is no such key, or it works no longer.")
    token.used()
    structlog.contextvars.bind_contextvars(token=str(token.pk), environment=token.environment.slug)
    request.token, request.environment = token, token.environment
    return token


class Key(HttpBearer):
    """Opens an operation to keys with a scope. `request.token` and `request.environment` say who asks."""

    openapi_scheme = "bearer"

    def __init__(self, scope):
        super().__init__()
        self.scope = scope

    def __call__(self, request):
        token = identify(request)
        if not token.may(self.scope):
            raise Problem(2005, f"This key may not {self.scope}.")
        return token

    def authenticate(self, request, token):
        raise NotImplementedError


reads, sends, manages = Key("read"), Key("send"), Key("manage")
