"""One daphne serves everything: pages, sockets, and the receiver of webhooks beside Django."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partyline.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

from inbox.routing import websocket_urlpatterns
from webhooks.receiver import Receiver

receiver = Receiver()


async def http(scope, receive, send):
    application = receiver if scope["path"].startswith("/webhooks/in/") else django_application
    await application(scope, receive, send)


application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
