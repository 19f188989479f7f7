from django.conf import settings
from django.db import OperationalError, connection
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from redis import Redis, RedisError

from inbox.models import Message
from lines.models import User
from webhooks.models import Receipt

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
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 2000")
        report["backlog_seconds"] = backlog()
    except OperationalError:
        report["database"] = "away"
    try:
        Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1).ping()
    except RedisError:
        report["broker"] = "away"
    late = max(report["backlog_seconds"].values(), default=0) > BACKLOG_LIMIT
    return JsonResponse(report, status=503 if report["database"] != "ok" or late else 200)


def backlog():
    now = timezone.now()
    due = {
        "receipts": Receipt.objects.pending()
        .filter(tries=0)
        .order_by("pk")
        .values_list("received_at", flat=True)
        .first(),
        "messages": Message.waiting_to_leave()
        .filter(next_try_at__lte=now)
        .order_by("next_try_at")
        .values_list("next_try_at", flat=True)
        .first(),
    }
    return {name: round((now - since).total_seconds(), 1) if since else 0 for name, since in due.items()}
