"""How requests reach an account: over https to public addresses, or to what the operator has named."""

import socket
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from partyline.addresses import is_among, is_public

PORTS = {"https": 443, "http": 80}


class RefusedAddress(httpx.ConnectError):
    """The name stands for an address to which nothing may be sent."""


def place_of(url):
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or PORTS.get(parts.scheme)


def is_named(host, port):
    """The operator's own setting says that accounts may be there, although it is private."""
    named = (host, port) == place_of(settings.LINQ_API_URL)
    return named or is_among(settings.CARRIER_PRIVATE_HOSTS, host, port)


def hosts_named(url):
    """{"host:port"} of an address where it is named, else nothing."""
    host, port = place_of(url)
    return {f"{host}:{port}"} if is_named(host, port) else set()


class Road(httpx.HTTPTransport):
    """Connects to the very address that was checked, so that a name cannot change its mind in between; TLS and the Host
    header know the name alone."""

    def handle_request(self, request):
        host, port = request.url.host, request.url.port or PORTS.get(request.url.scheme)
        if not is_named(host, port):
            address = address_of(host, port)
            if request.url.scheme != "https" or not is_public(address):
                raise RefusedAddress(f"Nothing is asked of {host}, which is private or without TLS")
            request.extensions["sni_hostname"] = host
            request.url = request.url.copy_with(host=address)
        return super().handle_request(request)


def address_of(host, port):
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]
    except (socket.gaierror, UnicodeError) as error:
        raise httpx.ConnectError(f"{host} cannot be found") from error
