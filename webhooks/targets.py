"""Where webhooks may go: over TLS into the open internet, or to a host that the settings name."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import httpx
from django.conf import settings

from inbox.models.refusing import Refused
from partyline.addresses import is_among, is_public
from webhooks.events import CURRENT, VERSIONS

LONGEST_URL = 2048
# The header that carries the chat's id, unless the subscription names another.
ROUTING_ID = "Linq-Chat-Id"
# Seconds that whoever subscribes waits for the name to be looked up; it is looked up again at each connection.
PATIENCE = 3
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
# What a routing header may not be called, since it would change what the request says.
OURS = re.compile(
    r"(?i)(?:x-)?webhook-.*|content-.*|accept.*|user-agent|host|connection|transfer-encoding|authorization|cookie"
    r"|te|trailer|upgrade|expect"
)

lookups = ThreadPoolExecutor(8, "webhook-targets")


def check_url(url):
    """Raises Refused where no webhook will be sent there."""
    parts = parsed(url)
    is_private = is_named(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
    if parts.scheme != "https" and not (is_private and parts.scheme == "http"):
        raise Refused(1005, "target_url: webhooks are sent to https addresses only.")
    version_of(url)
    if is_private:
        return
    for address in addresses_of(parts.hostname):
        if not is_public(address):
            raise Refused(1005, f"target_url: {parts.hostname} is a private address.")


def parsed(url):
    try:
        parts, port = urlsplit(url), urlsplit(url).port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL) as error:
        raise Refused(1005, "target_url: that is no web address.") from error
    is_whole = parts.scheme in ("http", "https") and parts.hostname and port != 0
    if not is_whole or len(url) > LONGEST_URL or re.search(r"[\s\0]", url):
        raise Refused(1005, "target_url: that is no web address.")
    return parts


def version_of(url):
    """The payload version that the address asks for; the current one where it asks for none."""
    asked = parse_qs(urlsplit(url).query).get("version", [CURRENT])[-1]
    if asked not in VERSIONS:
        raise Refused(1005, f"target_url: the version is {' or '.join(VERSIONS)}.")
    return asked


def is_named(host, port):
    """Whether the settings allow this host although it is private."""
    return is_among(settings.WEBHOOK_PRIVATE_HOSTS, host, port)


def addresses_of(host):
    """Those of which we know now; none where the name is not known, or not in time: it may be tomorrow."""
    with suppress(OSError, UnicodeError, TooLate):
        return lookups.submit(resolve, host).result(PATIENCE)
    return []


def resolve(host):
    return list({found[4][0]: None for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})


def bare(url):
    """Without credentials, query and fragment, as events tell of it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def check_header(field, name):
    if not HEADER_NAME.fullmatch(name) or OURS.fullmatch(name):
        raise Refused(1005, f"{field}: that cannot be the name of a header.")
