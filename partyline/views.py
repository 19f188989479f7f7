import psycopg
from django.conf import settings
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from redis import Redis, RedisError

from inbox.models import Message
from lines.models import User
from webhooks.models import Receipt, Subscription

# Seconds. Work older than this says that workers are away or drowning.
BACKLOG_LIMIT = 60


def home(request):
    """Where everybody starts: the inbox, or whatever is still missing before there is one."""
    if request.user.is_authenticated:
        return redirect("inbox", "mine") if request.environment else render(request, "people/nowhere.html")
    return redirect("account_login") if User.objects.exists() else render(request, "people/empty.html")


def healthz(request):
    """This process answers. Asks nobody."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request):
    """The database answers and work is being done; 503 otherwise. Without the broker we are slower, not broken."""
    report = {"database": "ok", "broker": "ok", "backlog_seconds": {}}
    try:
        report["backlog_seconds"] = backlog()
    except psycopg.Error:
        report["database"] = "away"
    try:
        Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1).ping()
    except RedisError:
        report["broker"] = "away"
    late = max(report["backlog_seconds"].values(), default=0) > BACKLOG_LIMIT
    return JsonResponse(report, status=503 if report["database"] != "ok" or late else 200)


def backlog():
    """Seconds that the oldest work has waited for a worker. On a connection of its own: the pool may be what is stuck."""
    due = {
        "receipts": Receipt.objects.pending().filter(tries=0).order_by("pk").values("received_at")[:1],
        "messages": Message.waiting_to_leave()
        .filter(next_try_at__lte=timezone.now())
        .order_by("next_try_at")
        .values("next_try_at")[:1],
        "deliveries": Subscription.objects.unpublished().order_by("waits_since").values("waits_since")[:1],
    }
    parameters = connection.get_connection_params() | {"connect_timeout": 2}
    parameters = {
        name: value for name, value in parameters.items() if name not in ("pool", "cursor_factory", "context")
    }
    waited = {}
    with psycopg.connect(**parameters) as database:
        database.execute("SET statement_timeout = 2000")
        for name, query in due.items():
            oldest = database.execute(*query.query.sql_with_params()).fetchone()
            waited[name] = round((timezone.now() - oldest[0]).total_seconds(), 1) if oldest else 0
    return waited
