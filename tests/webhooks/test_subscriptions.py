"""What people and programs do with subscriptions: the verbs, whoever asks for them."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from inbox.models.refusing import Refused
from lines.models import Event
from tests.webhooks.programs import wait_until
from webhooks import samples
from webhooks.models import Attempt, Delivery, SigningSecret, Subscription

pytestmark = pytest.mark.django_db
URL = "https://93.184.216.34/hooks"


def told():
    """The events of subscriptions in the log, oldest first, without the making."""
    found = Event.objects.filter(type__regex="subscription|webhook").order_by("pk")
    return [event.type for event in found.exclude(type="webhook_subscription.created")]


def delivery_of(subscription, happen, **fields):
    event = happen()
    return Delivery.objects.create(
        environment=subscription.environment,
        subscription=subscription,
        event_id=event.event_id,
        type=event.type,
        trace_id=event.trace_id,
        happened_at=event.created_at,
        **fields,
    )


def test_the_secret_is_encrypted_where_it_is_kept(subscribe):
    subscription = subscribe(URL)

    kept = SigningSecret.objects.extra(select={"raw": "secret::text"}).get()

    assert kept.secret == subscription.known_secret
    assert subscription.known_secret not in kept.raw


def test_changing_nothing_tells_nothing(subscribe, max):
    subscription = subscribe(URL, phone_numbers=[])
    before = subscription.updated_at

    subscription.change(by=max, target_url=URL, subscribed_events=["message.received"], phone_numbers=None)
    subscription.enable(by=max)

    subscription.refresh_from_db()
    assert subscription.updated_at == before
    assert told() == []


def test_a_change_of_ours_is_told_in_our_words(subscribe, max):
    subscription = subscribe(URL)

    subscription.change(by=max, profile="extended", pause_after_days=3)

    assert told() == ["inbox.subscription_changed"]
    assert Event.objects.latest().data == {
        "subscription": str(subscription.pk),
        "profile": "extended",
        "pause_after_days": 3,
    }


@pytest.mark.parametrize(
    "change",
    [{"profile": "forever"}, {"pause_after_days": 0}, {"pause_after_days": 400}, {"phone_numbers": ["+1"]}],
)
def test_a_wrong_change_is_refused(subscribe, max, change):
    subscription = subscribe(URL)

    with pytest.raises(Refused):
        subscription.change(by=max, subscribed_events=["message.sent"], **change)

    assert subscription.subscribed_events == ["message.received"]
    assert told() == []


def test_what_a_subscription_does_not_have_cannot_be_set(subscribe, max):
    with pytest.raises(TypeError):
        subscribe(URL).change(by=max, environment=None)


def test_former_secrets_count_until_the_overlap_is_over(subscribe, max):
    subscription = subscribe(URL)
    subscription.rotate_secret(by=max, overlap=timedelta(hours=1))
    newest = subscription.rotate_secret(by=max)

    first, second, third = subscription.secrets.order_by("pk")
    # A longer overlap does not give the first more time than it was promised.
    assert first.ends_at < timezone.now() + timedelta(hours=2)
    assert second.ends_at > timezone.now() + timedelta(hours=23)
    assert (third.secret, third.ends_at) == (newest, None)
    assert len({first.secret, second.secret, third.secret}) == 3
    assert told() == ["inbox.subscription_secret_rotated"] * 2
    assert not any("whsec" in str(event.data) for event in Event.objects.all())


def test_disabling_drops_what_waits_and_enabling_begins_anew(subscribe, happen, max, environment):
    subscription = subscribe(URL)
    waits = delivery_of(subscription, happen)
    done = delivery_of(subscription, happen, state="delivered")

    subscription.disable(by=max)
    subscription.disable(by=max)

    waits.refresh_from_db()
    done.refresh_from_db()
    assert (waits.state, done.state) == ("dropped", "delivered")
    subscription.enable(by=max)
    assert told() == ["webhook_subscription.disabled", "webhook_subscription.enabled"]


def test_a_deleted_one_is_gone_but_for_its_log(subscribe, happen, max, environment):
    subscription = subscribe(URL)
    delivery_of(subscription, happen)

    subscription.delete_here(by=max)
    subscription.delete_here(by=max)

    assert not environment.subscriptions.existing().exists()
    assert not SigningSecret.objects.exists()
    assert subscription.deliveries.get().state == "dropped"
    assert told() == ["webhook_subscription.deleted"]
    subscription.change(by=max, subscribed_events=["message.sent"])
    subscription.enable(by=max)
    assert subscription.rotate_secret(by=max) is None
    assert told() == ["webhook_subscription.deleted"]
    subscribe(URL)


def test_a_test_is_of_a_type_that_is_wanted_and_of_the_first_if_none_is_said(subscribe, max, shop):
    subscription = subscribe(URL, "reaction.added", "message.sent")

    delivery = subscription.send_test(by=max)
    other = subscription.send_test(by=max, type="message.sent")

    assert (delivery.type, other.type, delivery.is_test) == ("reaction.added", "message.sent", True)
    assert other.test_data["sender_handle"]["handle"] == shop.phone_number
    with pytest.raises(Refused):
        subscription.send_test(by=max, type="message.read")
    subscription.disable(by=max)
    with pytest.raises(Refused):
        subscription.send_test(by=max)


def test_what_is_not_sent_by_us_cannot_be_tested(subscribe, max):
    with pytest.raises(Refused):
        subscribe(URL, "call.ringing").send_test(by=max)


def test_resending_needs_an_active_one_and_an_event_that_is_kept(subscribe, happen, max):
    subscription = subscribe(URL)
    done, lost = (
        delivery_of(subscription, happen, state=state, tries=6) for state in ("delivered", "failed")
    )
    waits = delivery_of(subscription, happen)
    Event.objects.filter(event_id=lost.event_id).delete()

    done.resend(by=max)

    assert (done.state, done.tries, done.finished_at) == ("waiting", 0, None)
    for delivery in (lost, waits):
        with pytest.raises(Refused):
            delivery.resend(by=max)
    subscription.disable(by=max)
    with pytest.raises(Refused):
        done.resend(by=max)


def test_resending_all_that_failed_since(subscribe, happen, max):
    subscription, other = subscribe(URL), subscribe(URL + "2")
    hour = timezone.now() - timedelta(hours=1)
    old, failed, dropped, done, theirs = (
        delivery_of(whose, happen, state=state, created_at=at)
        for whose, state, at in (
            (subscription, "failed", hour - timedelta(minutes=1)),
            (subscription, "failed", hour + timedelta(minutes=1)),
            (subscription, "dropped", hour + timedelta(minutes=2)),
            (subscription, "delivered", hour + timedelta(minutes=3)),
            (other, "failed", hour + timedelta(minutes=3)),
        )
    )

    assert subscription.resend_failed(by=max, since=hour) == 2

    states = [Delivery.objects.get(pk=each.pk).state for each in (old, failed, dropped, done, theirs)]
    assert states == ["failed", "waiting", "waiting", "delivered", "failed"]
    assert told() == ["inbox.webhooks_resent"]
    assert subscription.resend_failed(by=max, since=hour) == 0
    assert told() == ["inbox.webhooks_resent"]


def test_the_log_is_filtered_and_paged(subscribe, happen, environment):
    one, two = subscribe(URL), subscribe(URL + "2")
    rows = [
        delivery_of(one if n % 2 else two, happen, state="failed" if n % 3 else "delivered") for n in range(9)
    ]
    log = environment.deliveries

    page, more = log.all().page(rows=4)
    assert ([row.pk for row in page], more) == ([row.pk for row in reversed(rows[5:])], True)
    page, more = log.all().page(before=page[-1].pk, rows=5)
    assert ([row.pk for row in page], more) == ([row.pk for row in reversed(rows[:5])], False)
    assert set(log.matching(subscription=one, state="delivered")) == {rows[3]}
    assert set(log.matching(type="message.sent")) == set()
    assert log.matching(trace_id=rows[0].trace_id.upper()).exists()
    assert not log.matching(until=rows[0].created_at).exists()
    assert log.matching(since=rows[0].created_at).count() == 9
    assert list(Delivery.objects.about(rows[4].event_id)) == [rows[4]]


def test_reading_a_page_of_the_log_takes_one_query(subscribe, happen, environment, django_assert_num_queries):
    for number in range(3):
        delivery_of(subscribe(f"{URL}{number}"), happen)

    with django_assert_num_queries(1):
        page, _ = environment.deliveries.matching(state="waiting").page()
        assert len({row.subscription.target_url for row in page}) == 3


def test_nothing_is_paused_unless_the_owner_wants_it(subscribe):
    subscription = subscribe(URL)
    Subscription.objects.update(failing_since=timezone.now() - timedelta(days=100))

    Subscription.pause_failing()

    subscription.refresh_from_db()
    assert subscription.is_active
    assert not mail.outbox


def test_a_pause_is_announced_a_day_before_and_when_it_comes(
    subscribe, max, lea, django_capture_on_commit_callbacks
):
    subscription = subscribe(URL, pause_after_days=3)

    def pause(**ago):
        Subscription.objects.update(failing_since=timezone.now() - timedelta(**ago))
        with django_capture_on_commit_callbacks(execute=True):
            Subscription.pause_failing()
        subscription.refresh_from_db()
        return subscription.is_active, len(mail.outbox)

    assert pause(hours=47) == (True, 0)
    assert pause(hours=49) == (True, 1)
    assert pause(hours=50) == (True, 1)
    assert pause(hours=73) == (False, 2)
    assert pause(hours=99) == (False, 2)
    assert subscription.paused_at
    assert told() == ["inbox.subscription_failing", "webhook_subscription.disabled"]
    assert [message.to for message in mail.outbox] == [[max.email]] * 2
    assert URL in mail.outbox[0].body
    assert Event.objects.latest().data["actor"] == {"type": "system"}
    subscription.enable(by=max)
    assert subscription.paused_at is subscription.failing_since is subscription.warned_at is None


def test_a_pause_after_one_day_is_announced_half_a_day_before(subscribe):
    subscribe(URL, pause_after_days=1)
    Subscription.objects.update(failing_since=timezone.now() - timedelta(hours=13))

    Subscription.pause_failing()

    assert told() == ["inbox.subscription_failing"]


@pytest.mark.django_db(transaction=True)
def test_a_test_arrives_and_counts_as_one(delivering, subscribe, max):
    program = delivering.program()
    subscription = subscribe(program)
    delivering.start()

    delivery = subscription.send_test(by=max)

    event = program.gets(1)[0].event
    assert event["event_id"] == str(delivery.event_id)
    assert event["data"]["parts"][0]["value"] == samples.TEXT
    wait_until(lambda: Delivery.objects.get().state == "delivered")
    assert not Event.objects.filter(event_id=delivery.event_id).exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_sent_again_has_the_same_id_and_all_its_attempts(delivering, subscribe, happen, max, quick):
    program = delivering.program(lambda request: 404 if len(program.requests) == 1 else 200)
    subscription = subscribe(program)
    delivering.start()
    happen()
    wait_until(lambda: subscription.deliveries.filter(state="failed").exists())

    subscription.deliveries.get().resend(by=max)

    first, second = program.gets(2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    wait_until(lambda: subscription.deliveries.filter(state="delivered").exists())
    assert [attempt.status for attempt in Attempt.objects.all()] == [404, 200]
    assert subscription.deliveries.get().tries == 1


@pytest.mark.django_db(transaction=True)
def test_a_disabled_one_gets_nothing_more(delivering, subscribe, happen, max):
    program, other = delivering.program(lambda request: 503), delivering.program()
    subscription = subscribe(program)
    subscribe(other)
    delivering.start()
    happen()
    program.gets(1)

    subscription.disable(by=max)
    happen()

    other.gets(2)
    assert len(program.requests) == 1
    assert subscription.deliveries.get().state == "dropped"
    program.answers = lambda request: 200
    subscription.enable(by=max)
    later = happen()
    assert program.gets(2)[1].event["event_id"] == str(later.event_id)
    assert len(program.requests) == 2
