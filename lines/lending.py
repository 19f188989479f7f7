"""Addresses of contact files that open without signing in, for a while: to be passed on to customers."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

from lines.models import Line

SALT = "lines.lending"
LASTS = timedelta(hours=24)
# Numbers in one file besides the line's own.
BACKUPS = 10


def lend(line, backups):
    """The address of the contact file of `line` with these other lines to write to; it works for LASTS."""
    told = {"line": str(line.pk), "backups": [str(backup.pk) for backup in backups[:BACKUPS]]}
    ticket = signing.dumps(told, salt=SALT)
    return settings.PUBLIC_URL + reverse("lent-contact-file", args=[ticket])


def borrowed(ticket):
    """(the line, those of its backups that can be written to now); (None, []) where the address opens nothing."""
    try:
        told = signing.loads(ticket, salt=SALT, max_age=LASTS)
    except signing.BadSignature:
        return None, []
    line = Line.objects.filter(pk=told["line"]).first()
    if line is None:
        return None, []
    backups = line.environment.lines.filter(pk__in=told["backups"], status__in=Line.WORKING)
    return line, list(backups.order_by("name", "phone_number"))
