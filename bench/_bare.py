"""The yardstick for endpoints: a Django application whose one view inserts a row by the ORM, and nothing else. With
BARE_MIDDLEWARE=1 behind the middleware of Partyline's pages."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import JsonResponse
from django.urls import path

settings.ROOT_URLCONF = "bench._bare"
if not os.environ.get("BARE_MIDDLEWARE"):
    # A package of ours wants to be there.
    settings.MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]

application = get_asgi_application()


def insert(request):
    from lines.models import ApiRequest

    row = ApiRequest.objects.create(
        environment_id=os.environ["BARE_ENVIRONMENT"],
        token_id=os.environ["BARE_TOKEN"],
        method=request.method,
        path=request.path,
        status=200,
        milliseconds=0,
        trace_id="0" * 32,
    )
    return JsonResponse({"id": row.pk})


def absent(request, exception=None):
    return JsonResponse({}, status=404)


handler404 = absent
urlpatterns = [path("insert", insert)]
