"""E-mails about lines."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse


def mail_alert(alert):
    """Tell those who look after the line; raises what the mail server's connection does."""
    people = list(alert.addressees)
    if people:
        path = reverse("flag-drill" if alert.is_flag else "line", args=[alert.line_id])
        context = {"alert": alert, "line": alert.line, "link": settings.PUBLIC_URL + path}
        text = render_to_string("lines/alert.txt", context)
        EmailMessage(f"{alert.sentence}", text, to=[person.email for person in people]).send()
    return people
