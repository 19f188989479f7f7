"""Settings → received webhooks: what carriers sent, and what became of it."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inbox.models import Chat
from tests.conftest import CARL
from tests.webhooks import payloads as told
from webhooks import apply
from webhooks.models import Receipt

PAGE = "/settings/webhooks/"


@pytest.fixture
def admin(client_of, max):
    return client_of(max)


@pytest.fixture
def receive(environment):
    """A receipt as it stands after it was judged."""

    def receive(number=1, *, to=environment, body=None, **fields):
        event = {"event_id": f"evt-{number}", "event_type": "message.received", "data": {"n": number}}
        fields = {"state": "applied", "event_type": "message.received", "headers": {}} | fields
        return Receipt.objects.create(
            environment=to,
            event_id=f"evt-{number}",
            body=json.dumps(event) if body is None else body,
            trace_id=f"trace{number}",
            **fields,
        )

    return receive


def text_of(response):
    assert response.status_code == 200
    return response.content.decode()


def test_an_admin_sees_what_came_and_what_became_of_it(admin, receive, chat):
    receive(1, chat_key=chat.external_id)
    receive(2, state="parked", tries=6, event_type="payment.updated")

    page = text_of(admin.get(PAGE))

    assert "Carl, Shop" in page
    assert f'href="/chats/{chat.pk}/"' in page
    assert "payment.updated" in page
    assert "No conversation of ours" in page
    assert "6 tries" in page


def test_nothing_has_come_yet(admin):
    assert "Nothing has come from Sandbox yet" in text_of(admin.get(PAGE))
    assert "No receipt is parked" in text_of(admin.get(PAGE + "?state=parked"))


def test_nobody_else_learns_that_the_page_exists(client, client_of, receive, ana, lea, olga):
    receipt = receive(state="parked")
    for somebody in (ana, lea):
        signed_in = client_of(somebody)
        assert signed_in.get(PAGE).status_code == 404
        assert signed_in.get(f"{PAGE}{receipt.pk}/").status_code == 404
        assert signed_in.post(f"{PAGE}{receipt.pk}/apply/").status_code == 404
    stranger = client_of(olga)
    assert "message.received" not in text_of(stranger.get(PAGE))
    assert stranger.get(f"{PAGE}{receipt.pk}/").status_code == 404
    assert stranger.post(f"{PAGE}{receipt.pk}/apply/").status_code == 404
    assert client.get(PAGE).status_code == 302
    assert client.post(f"{PAGE}{receipt.pk}/apply/").status_code == 302
    receipt.refresh_from_db()
    assert receipt.state == "parked"


def test_a_state_shows_only_its_receipts(admin, receive):
    for number, state in enumerate(Receipt.State.values):
        receive(number, state=state, event_type=f"is.{state}")

    for state in Receipt.State.values:
        page = text_of(admin.get(f"{PAGE}?state={state}"))
        assert [other for other in Receipt.State.values if f"<code>is.{other}</code>" in page] == [state]


@pytest.mark.parametrize("place", ["state=lost", "before=-1", "before=x", "state=%00"])
def test_there_is_no_such_place(admin, place):
    assert admin.get(f"{PAGE}?{place}").status_code == 404


@pytest.mark.parametrize("pk", [2**31, 2**63, 10**40])
def test_a_number_beyond_all_receipts_is_not_there(admin, receive, pk):
    receive()

    assert admin.get(f"{PAGE}{pk}/").status_code == 404
    assert "message.received" in text_of(admin.get(f"{PAGE}?before={pk}"))


def test_pages_hang_together_without_gap_or_repeat(admin, receive):
    kept = [receive(number, event_type=f"type.{number}", state="kept").pk for number in range(95)]
    seen, url = [], "?state=kept"
    while url:
        response = admin.get(PAGE + url)
        seen += [row.pk for row in response.context["rows"]]
        url = "?" + response.context["older"] if response.context["older"] else None

    assert seen == kept[::-1]


def test_a_page_takes_the_same_queries_however_many_came(admin, receive, make_chat, shop):
    def came(number):
        chat = make_chat(shop, f"+1415555{number:04}", external_id=f"chat-{number}")
        receive(number, chat_key=chat.external_id)

    came(1)
    with CaptureQueriesContext(connection) as few:
        admin.get(PAGE)
    for number in range(2, 30):
        came(number)
    with CaptureQueriesContext(connection) as many:
        admin.get(PAGE)

    assert len(many) == len(few)


def test_one_receipt_shows_all_that_came_and_why_it_failed(admin, receive):
    receipt = receive(
        state="parked",
        tries=6,
        headers={"webhook-id": "evt-1"},
        error="Traceback (most recent call last):\n  …\nKeyError: 'chat'\n",
    )

    page = text_of(admin.get(f"{PAGE}{receipt.pk}/"))

    assert "Parked after 6 tries" in page
    assert "KeyError: &#x27;chat&#x27;</p>" in page
    assert "webhook-id" in page
    assert "&quot;n&quot;: 1" in page
    assert "trace1" in page


@pytest.mark.parametrize(
    "body", ["{", "", '{"text": "\\ud83d"}', "[" * 100_000, '{"a": "<script>alert(1)</script>"}']
)
def test_a_strange_body_is_shown_all_the_same(admin, receive, body):
    page = text_of(admin.get(f"{PAGE}{receive(state='kept', body=body).pk}/"))

    assert "<script>alert" not in page


def test_a_receipt_is_opened_beside_its_list(admin, receive):
    receipt = receive(1, state="parked")
    receive(2, event_type="message.sent")

    page = text_of(admin.get(f"{PAGE}{receipt.pk}/?state=parked"))

    assert 'aria-selected="true"' in page
    assert "message.sent</code></a>" not in page
    assert f'action="{PAGE}{receipt.pk}/apply/?state=parked"' in page


def test_apply_again_puts_it_back_into_the_queue(admin, environment, receive, max):
    receipt = receive(state="parked", tries=6, error="Boom")

    response = admin.post(f"{PAGE}{receipt.pk}/apply/?state=parked")

    assert response.url == f"{PAGE}{receipt.pk}/?state=parked"
    receipt.refresh_from_db()
    assert (receipt.state, receipt.tries, receipt.error) == ("pending", 0, "")
    assert environment.events.latest().actor == max
    assert admin.get(f"{PAGE}{receipt.pk}/apply/").status_code == 405


def test_a_parked_receipt_reaches_the_inbox_when_it_is_applied_again(admin, environment, shop, keep):
    parts = [told.text("Is the blue one in stock?")]
    keep(told.message("message.received", "m-1", "c-1", at=10, parts=parts, sender=CARL))
    receipt = environment.receipts.get()
    environment.receipts.update(state="parked", tries=6)

    admin.post(f"{PAGE}{receipt.pk}/apply/")
    apply.apply_pending()

    receipt.refresh_from_db()
    assert receipt.state == "applied"
    assert Chat.objects.get(environment=environment).last_message.text == "Is the blue one in stock?"
