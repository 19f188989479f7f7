"""Every address of every page: who may open it, and that nobody else learns of anything, not even that it is there.

A new address has to be put into one of the lists here. Sockets are looked at in inbox/test_live.py, programs in
api/test_strangers.py.
"""

import uuid
from datetime import timedelta

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.db import transaction
from django.urls import NoReverseMatch, get_resolver, reverse
from django.urls.resolvers import URLResolver
from django.utils import timezone

from inbox.models import Attachment, Label, LocationShare, Part, SavedReply
from inbox.models.content import Content
from lines.models import ApiToken, Handset, Invitation
from webhooks.models import Delivery, Receipt, Subscription

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_workers")]

# What only those who see the shop may read.
SECRETS = ("Carlotta", "415 555 0123", "4155550123", "bluebell")

# For anybody: what has a secret of its own in its address, or none to tell.
ANYBODY = {
    "home", "join", "lent-card-picture", "lent-contact-file", "public-media", "setup", "sign-in",
}  # fmt: skip
# For whoever is signed in: shows them what they may see.
SIGNED_IN = {
    "advice", "analytics", "ask-capability", "chips", "choose-environment", "contacts", "counts", "emoji",
    "figure-file", "figure-rows", "inbox", "lines", "new", "new-reply", "people-to-write", "planner",
    "replies", "rows", "sandbox", "sandbox_faults", "sandbox_flag", "sandbox_new_handset", "search",
    "team",
}  # fmt: skip
# For everybody who sees the line that it is about.
OF_LINE = {
    "add-members", "add-note", "ask-location", "assign", "cancel-scheduled", "card", "card-picture",
    "change-scheduled", "chat", "close", "contact-file", "conversation", "delete", "delete-file",
    "delete-note", "details", "draft", "edit", "edit-note", "first-words", "flag-drill", "foot",
    "found-replies", "guard", "head", "held", "icon-group", "label", "labels", "leave-group", "line", "line-changes",
    "locations", "media", "message", "messages", "move-from-line", "name-group", "note", "old-line",
    "preview", "react", "read", "readers", "remove-member", "remove-upload", "rename-contact", "reopen",
    "reply", "retry", "row", "schedule", "scheduled", "send-contact", "send-scheduled", "share-card", "snooze",
    "team-conversation", "team-counts", "team-inbox", "team-owner", "team-rows", "typing", "undelete",
    "unread", "upload", "use-card", "verdict", "wake",
}  # fmt: skip
# For every member of the environment.
OF_ENVIRONMENT = {
    "delete-reply", "edit-reply", "sandbox_media", "sandbox_phone", "sandbox_photo", "sandbox_send",
    "sandbox_thread", "sandbox_use",
}  # fmt: skip
# For its admins, about themselves and their environment.
OF_ADMINS = {
    "account", "all-labels", "api", "change-retention", "choose-guard-default", "choose-lines", "compare-account",
    "comparisons", "connect-account", "deliveries", "disconnect-account", "docs", "environment",
    "environments", "export-deliveries", "forget-guard-default", "guard-default", "guard-defaults",
    "invite", "keep-hours", "keys", "lift-opt-outs", "look-at-account", "make-environment", "make-key", "make-label",
    "new-subscription", "people", "receipts", "recover-deliveries", "requests", "retention",
    "rotate-account-secret", "signatures", "steer-import", "subscribe-account", "subscriptions", "trace",
    "turn-environment",
}  # fmt: skip
# For its admins, about a thing of the environment.
THINGS_OF_ADMINS = {
    "admit-to-line", "appeal-flag", "apply-receipt", "change-card", "change-label", "change-line",
    "choose-guard-rule", "delete-environment", "delete-label", "delete-subscription", "delivery",
    "disable-subscription", "enable-subscription", "end-warming", "exclude-from-line",
    "forget-guard-rule", "guard-rule", "kind-of-environment", "let-in", "own-line", "paint-environment",
    "pause-line", "put-card-again", "receipt", "release", "remove", "rename-environment", "rename-key",
    "resend", "resume-line", "revoke-key", "role", "rotate-key", "rotate-secret", "shut-out",
    "subscription", "test-subscription", "try-guard", "turn-line", "unflag-line", "warm-line", "withdraw",
}  # fmt: skip
ALL = ANYBODY | SIGNED_IN | OF_LINE | OF_ENVIRONMENT | OF_ADMINS | THINGS_OF_ADMINS


def ours(resolver=None):
    """The names of all addresses that are not of a package."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from ours(pattern)
        elif not pattern.callback.__module__.startswith(("allauth", "django.")) and pattern.name:
            yield pattern.name


def test_of_every_address_it_is_said_who_may_open_it():
    assert set(ours()) == ALL
    groups = (ANYBODY, SIGNED_IN, OF_LINE, OF_ENVIRONMENT, OF_ADMINS, THINGS_OF_ADMINS)
    assert sum(map(len, groups)) == len(ALL)


@pytest.fixture
def world(environment, shop, chat, ana, max, nora, tmp_path):
    """One of everything that has an address, on the shop's line or in its environment."""
    contact = chat.others[0].contact
    contact.first_name = "Carlotta"
    contact.save()
    question = chat.messages.get()
    Part.objects.filter(message=question).update(text="Is the bluebell one still in stock?")
    answer = chat.send(by=ana, text="The bluebell one? Yes")
    file = Attachment.objects.create(
        environment=environment, filename="bluebell.pdf", mime_type="application/pdf", size=8, state="stored"
    )
    file.file.save("bluebell.pdf", ContentFile(b"bluebell"))
    Part.objects.create(message=question, index=1, kind="media", attachment=file)
    planned = chat.schedule(
        Content([{"text": "bluebell"}]), send_at=timezone.now() + timedelta(days=1), by=ana
    )
    share = LocationShare.objects.create(chat=chat, handle=chat.others[0], began_at=timezone.now())
    subscription, _ = Subscription.make(
        environment, by=max, target_url="https://bluebell.example/", subscribed_events=["message.received"]
    )
    event = environment.record("message.received", chat=chat, data={"text": "bluebell"})
    delivery = Delivery.objects.create(
        environment=environment,
        subscription=subscription,
        event_id=event.event_id,
        type="message.received",
        trace_id=event.trace_id,
        happened_at=event.created_at,
        state="failed",
    )
    receipt = Receipt.objects.create(
        environment=environment,
        event_id="1",
        event_type="message.received",
        state="parked",
        body="{}",
        headers={},
    )
    return {
        "chats": chat.pk,
        "messages": answer.pk,
        "notes": chat.add_note("bluebell", by=ana).pk,
        "scheduled": planned.pk,
        "media": file.pk,
        "uploads": file.pk,
        "attachments": file.pk,
        "lines": shop.pk,
        "cards": shop.pk,
        "line": shop.pk,
        "labels": Label.make(environment, "Bluebell", by=ana).pk,
        "replies": SavedReply.keep(environment, title="Bluebell", text="bluebell", by=ana).pk,
        "contacts": contact.pk,
        "handle": chat.others[0].pk,
        "locations": share.pk,
        "subscriptions": subscription.pk,
        "deliveries": delivery.pk,
        "webhooks": receipt.pk,
        "keys": ApiToken.make(environment, "Bluebell", by=max)[0].pk,
        "environments": environment.pk,
        "invitations": Invitation.invite(environment, "jo@fairwheel.example", role="agent", by=max)[0].pk,
        "people": ana.pk,
        "user": ana.pk,
        "sandbox": Handset.objects.get(pk=nora.pk).pk,
    }


def addresses(world, names):
    """(name, address) of each, with what its pattern asks for."""
    for name in sorted(names):
        known = [pattern for pattern, _, _, _ in get_resolver().reverse_dict.getlist(name)]
        (text, wanted), *_ = known[0]
        family = text.split("%")[0].rstrip("/").rpartition("/")[2]
        values = {
            "view": "open" if name.startswith("team") else "all", "kind": "inbound", "rule": "volume", "verb": "read", "filename": "bluebell.pdf",
            "whose": f"line/{world['line']}", "chapter": "messages", "signature": "x", "token": "x", "ticket": "x",
        }  # fmt: skip
        arguments = {}
        for parameter in wanted:
            if parameter == "pk":
                arguments["pk"] = world["chats"] if "conversation" in name else world[family]
            elif parameter == "media":
                arguments["media"] = uuid.uuid4()
            else:
                arguments[parameter] = values.get(parameter) or world[parameter]
        try:
            yield name, reverse(name, kwargs=arguments)
        except NoReverseMatch:
            yield name, reverse(name)


def said(response):
    return b"".join(response.streaming_content) if response.streaming else response.content


def is_closed(response):
    """There is nothing here for this person: no such address, none with this method, or sign in first."""
    if response.status_code == 302:
        return response["Location"].startswith("/account/login/")
    return response.status_code in (403, 404, 405)


def rows():
    """Of every table of ours; what is written down of a look (who was here when) is none of them."""
    left_out = {"User", "ChatRead", "SandboxFaults", "SandboxLimit"}
    return {
        model._meta.label: sorted(map(str, model.objects.values_list()))
        for label in ("inbox", "lines", "webhooks")
        for model in apps.get_app_config(label).get_models()
        if model.__name__ not in left_out
    }


def visit(client, address):
    """What a look and a press of the button there answer; nothing of it stays."""
    responses = []
    for method in ("get", "post"):
        with transaction.atomic():
            responses.append(getattr(client, method)(address, headers={"Accept": "text/html"}))
            transaction.set_rollback(True)
    return responses


@pytest.fixture
def gone(person, environment, shop):
    """Somebody who was on the line until a second ago, and is signed in still."""
    user = person("Gone", environment, lines=[shop])
    return user


@pytest.fixture
def strangers(gone, wim, lea, olga, ana, shop, environment, client_of, client):
    """{who: (a signed-in client, the addresses that are none of theirs)}"""
    clients = {user: client_of(user) for user in (gone, wim, lea, olga, ana)}
    assert clients[gone].get(reverse("line", args=[shop.pk])).status_code == 200
    shop.shut_out(gone, by=None)
    admins = OF_ADMINS | THINGS_OF_ADMINS
    return {
        "nobody": (client, ALL - ANYBODY),
        "removed": (clients[gone], OF_LINE | admins),
        "another line's": (clients[wim], OF_LINE | admins),
        "lead": (clients[lea], admins),
        "agent": (clients[ana], admins),
        "another environment's": (clients[olga], OF_LINE | OF_ENVIRONMENT | THINGS_OF_ADMINS),
    }


WHO = ["nobody", "removed", "another line's", "lead", "agent", "another environment's"]


@pytest.mark.parametrize("who", WHO)
def test_what_is_none_of_theirs_is_not_there(world, strangers, who):
    client, closed = strangers[who]
    before, open_to_them = rows(), []
    for name, address in addresses(world, closed):
        for response in visit(client, address):
            if not is_closed(response):
                open_to_them.append((name, response.status_code))
    assert open_to_them == []
    assert rows() == before


@pytest.mark.parametrize("who", ["removed", "another line's", "another environment's"])
def test_what_they_may_open_tells_nothing_of_the_line(world, strangers, who):
    client, closed = strangers[who]
    told = []
    for name, address in addresses(world, ALL - closed - ANYBODY - {"replies", "new-reply"}):
        # Labels, saved replies and the phones of the sandbox are the whole team's; examples show a number of theirs.
        if name in OF_ENVIRONMENT or name == "docs":
            continue
        queries = [address] if "?" in address else [address, f"{address}?q=blue"]
        if name == "counts":
            queries = [f"{address}?view=all"]
        for query in queries:
            for response in visit(client, query):
                text = said(response).decode(errors="replace") if response.status_code < 400 else ""
                told += [(name, secret) for secret in SECRETS if secret in text]
    assert told == []


def test_those_whom_it_concerns_find_it(world, shop, ana, lea, max, environment, client_of):
    """So that the lists above are no lists of what nobody can open."""
    shop.hear("FLAGGED", at=timezone.now())
    shop.save()
    for user, names in (
        (ana, SIGNED_IN | OF_LINE | OF_ENVIRONMENT),
        (lea, SIGNED_IN | OF_LINE | OF_ENVIRONMENT),
        (max, ALL - ANYBODY),
    ):
        client, missing = client_of(user), []
        for name, address in addresses(world, names - NEED_MORE):
            if all(is_closed(response) for response in visit(client, address)):
                missing.append(name)
        assert missing == [], user


# Behind these there is nothing as long as there is no card, preview, photo, group, account or second environment, or
# to an empty form.
NEED_MORE = {
    "add-members", "appeal-flag", "ask-capability", "card-picture", "choose-environment", "choose-lines",
    "compare-account", "delete-file", "disconnect-account",
    "icon-group", "label", "leave-group", "look-at-account", "name-group", "preview", "put-card-again", "remove-member",
    "remove-upload", "rename-contact", "rotate-account-secret", "rows", "sandbox_flag", "sandbox_media", "sandbox_photo",
    "steer-import", "subscribe-account", "team-rows", "use-card",
}  # fmt: skip


def test_numbers_of_what_is_not_theirs_are_not_counted(world, chat, shop, wim, gone, environment, client_of):
    """Tabs, badges and the numbers of analytics, of somebody who sees none of it."""
    shop.shut_out(gone, by=None)
    for user in (wim, gone):
        client = client_of(user)
        counts = client.get(reverse("counts") + "?view=all").context["tabs"]
        assert {tab["count"] for tab in counts} <= {"0", None}
        team = client.get(reverse("team")).context
        assert (team["waiting_count"], team["box"].team.everyone.open) == ("0", 0)
        numbers = client.get(reverse("analytics") + "?range=7d").context["numbers"]
        assert not any(numbers.total.values())
        assert numbers.waiting == (0, None)
        assert not client.get(reverse("search"), {"q": "bluebell"}).context["groups"]
