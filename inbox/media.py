"""Media of carriers, fetched into our own storage: bounded in size and time, and never from inside our network."""

import math
import socket
import tempfile
import time
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import unquote, urljoin, urlsplit

import httpx
import structlog
from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils import timezone

from inbox import models
from inbox.models import Attachment
from lines import gateways
from partyline.addresses import is_public

log = structlog.get_logger()

MAX_TRIES = 6
MAX_REDIRECTS = 3
# Seconds for each step of the connection; the whole is bounded by the size.
TIMEOUT = httpx.Timeout(15, connect=5)
CLAIM_LASTS = timedelta(minutes=5)
# What a person waits for an address of theirs.
URL_SECONDS = 20


class Refused(Exception):
    """This will not be fetched, now or later; says why."""


class TooLarge(Refused):
    def __init__(self):
        super().__init__("Larger than the limit for media")


def fetch(attachment):
    """Fetch one attachment, once: two workers with the same one find it claimed. Keeps the reason of a failure."""
    due = Attachment.objects.filter(pk=attachment.pk, state="pending", next_try_at__lte=timezone.now())
    if not due.update(next_try_at=timezone.now() + CLAIM_LASTS):
        return
    try:
        with tempfile.TemporaryFile() as copy:
            known_hosts = hosts_of(attachment.environment)
            download(attachment.source_url, known_hosts, copy, limit=settings.MEDIA_MAX_BYTES)
            if not keep(attachment, copy):
                return
    except Refused as refusal:
        give_up(attachment, str(refusal))
    except (httpx.HTTPError, OSError) as error:
        try_again(attachment, str(error) or type(error).__name__)
    else:
        tell(attachment)


@transaction.atomic
def keep(attachment, copy):
    """Whether it was still wanted: somebody may have deleted it meanwhile."""
    if not Attachment.objects.select_for_update().filter(pk=attachment.pk, state="pending").exists():
        return False
    attachment.take(File(copy, name=attachment.filename))
    return True


def keep_from(environment, url, *, by, until=math.inf):
    """Store what stands at a web address, to be sent; models.Refused says why it cannot be. Takes 20 s at most, and
    ends at `until` by the monotonic clock."""
    try:
        name = unquote(urlsplit(url).path.rpartition("/")[2]) or "file"
        with tempfile.TemporaryFile() as copy:
            soon = min(until, time.monotonic() + URL_SECONDS)
            download(url, set(), copy, limit=settings.MEDIA_URL_MAX_BYTES, until=soon)
            return Attachment.keep(environment, File(copy, name=name), by=by)
    except Refused as refusal:
        raise models.Refused(5005 if isinstance(refusal, TooLarge) else 5007, f"{refusal}.") from refusal
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise models.Refused(5007, "Nothing could be fetched from that address.") from error


def download(url, known_hosts, copy, *, limit, until=math.inf):
    """Into `copy`, `limit` bytes at most and not after `until` (by the monotonic clock); Refused where that is not to be."""
    with httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client:
        for _ in range(MAX_REDIRECTS + 1):
            with safely(client, url, known_hosts) as response:
                if response.is_redirect:
                    url = urljoin(url, response.headers["location"])
                    continue
                if response.is_client_error and response.status_code not in (408, 425, 429):
                    raise Refused(f"The server answered {response.status_code}")
                response.raise_for_status()
                return copy_bounded(response, copy, limit, until)
    raise Refused("Too many redirects")


def hosts_of(environment):
    try:
        return gateways.for_environment(environment).media_hosts()
    except gateways.PermanentFailure:
        return set()


@contextmanager
def safely(client, url, known_hosts):
    """GET `url` from the very address that was checked, so that a name cannot change its mind in between."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused("Not a web address")
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    address = resolve(parts.hostname, port)
    allowed = settings.MEDIA_ALLOW_PRIVATE or f"{parts.hostname}:{port}" in known_hosts
    if not allowed and (parts.scheme != "https" or not is_public(address)):
        raise Refused("Media is fetched over https from public addresses only")
    host = f"[{address}]" if ":" in address else address
    target = parts._replace(netloc=f"{host}:{port}").geturl()
    headers = {"host": parts.netloc.rpartition("@")[2]}
    with client.stream(
        "GET", target, headers=headers, extensions={"sni_hostname": parts.hostname}
    ) as response:
        yield response


def resolve(host, port):
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]
    except socket.gaierror as error:
        raise httpx.ConnectError(f"{host} cannot be found") from error


def copy_bounded(response, copy, limit, until):
    if int(response.headers.get("content-length") or 0) > limit:
        raise TooLarge
    size = 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > limit:
            raise TooLarge
        if time.monotonic() > until:
            raise Refused("It came too slowly")
        copy.write(chunk)
    # Its size is asked of the file system.
    copy.flush()


def give_up(attachment, reason):
    log.warning("media_refused", attachment=str(attachment.pk), reason=reason)
    if Attachment.objects.filter(pk=attachment.pk, state="pending").update(
        state="failed", error=reason[:300]
    ):
        tell(attachment)


def try_again(attachment, reason):
    tries = attachment.tries + 1
    if tries >= MAX_TRIES:
        return give_up(attachment, reason)
    log.info("media_waits", attachment=str(attachment.pk), tries=tries, reason=reason)
    Attachment.objects.filter(pk=attachment.pk).update(
        tries=tries, error=reason[:300], next_try_at=timezone.now() + timedelta(seconds=4**tries)
    )


@transaction.atomic
def tell(attachment):
    for part in attachment.parts.select_related("message__chat"):
        attachment.environment.record("inbox.attachment_stored", message=part.message)
    for reaction in attachment.reactions.select_related("message__chat"):
        attachment.environment.record("inbox.attachment_stored", message=reaction.message)
    attachment.tell_groups()
    for contact in attachment.photo_of.select_related("environment"):
        contact.tell_changed()
