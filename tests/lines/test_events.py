"""The log: its numbers are the order of commits, whatever the transactions do meanwhile."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection, transaction

from lines.models import Environment, Event

pytestmark = pytest.mark.django_db(transaction=True)


def sequences(environment):
    return list(environment.events.order_by("id").values_list("sequence", flat=True))


def in_threads(number, work):
    def and_close(index):
        try:
            return work(index)
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(and_close, range(number)))


def test_numbers_begin_at_one_and_follow_the_order_of_recording(environment):
    with transaction.atomic():
        for _ in range(3):
            environment.record("test.happened")
    environment.record("test.happened")

    assert sequences(environment) == [1, 2, 3, 4]
    assert environment.last_sequence == 4


def test_two_environments_count_for_themselves(environment):
    elsewhere = Environment.objects.create(name="Elsewhere", slug="elsewhere")
    with transaction.atomic():
        environment.record("test.happened")
        elsewhere.record("test.happened")
        environment.record("test.happened")

    assert sequences(environment) == [1, 2]
    assert sequences(elsewhere) == [1]


def test_what_is_rolled_back_leaves_no_gap(environment):
    environment.record("test.happened")
    with transaction.atomic():
        environment.record("test.never")
        transaction.set_rollback(True)
    with transaction.atomic():
        environment.record("test.happened")
        sid = transaction.savepoint()
        environment.record("test.never")
        transaction.savepoint_rollback(sid)

    assert sequences(environment) == [1, 2]


def test_events_of_a_bulk_are_numbered_too(environment):
    Event.objects.bulk_create([Event.of(environment, "test.happened") for _ in range(5)])

    assert sequences(environment) == [1, 2, 3, 4, 5]


def test_the_log_calls_its_readers_at_the_commit_and_not_before(environment):
    parameters = connection.get_connection_params()
    parameters = {
        name: value for name, value in parameters.items() if name not in ("cursor_factory", "context")
    }
    with psycopg.connect(**parameters, autocommit=True) as listener:
        listener.execute("LISTEN partyline_events")
        with transaction.atomic():
            environment.record("test.happened")
            environment.record("test.happened")
            assert not list(listener.notifies(timeout=0.2))
        calls = list(listener.notifies(timeout=5, stop_after=1))

    assert [call.payload for call in calls] == [str(environment.pk)]


def test_the_later_begun_and_earlier_committed_comes_first(environment):
    has_recorded, may_commit = threading.Event(), threading.Event()

    def slow_and_quick(index):
        if index == 0:
            with transaction.atomic():
                environment.record("test.slow")
                has_recorded.set()
                may_commit.wait(10)
        else:
            has_recorded.wait(10)
            environment.record("test.quick")
            may_commit.set()

    in_threads(2, slow_and_quick)

    assert list(environment.events.since(0).values_list("type", flat=True)) == ["test.quick", "test.slow"]


def test_a_reader_that_remembers_the_last_number_skips_nothing(environment):
    writers, rounds = 8, 20
    writing = threading.Event()
    writing.set()

    def write(chance):
        for _ in range(rounds):
            with transaction.atomic():
                for _ in range(chance.randint(1, 3)):
                    environment.record("test.happened")
                    time.sleep(chance.random() * 0.01)
        return None

    def follow():
        seen, last = [], 0
        while True:
            was_writing = writing.is_set()
            news = list(environment.events.since(last).values_list("sequence", flat=True))
            seen += news
            last = news[-1] if news else last
            if not was_writing and not news:
                return seen

    def work(index):
        return write(random.Random(index)) if index < writers else follow()

    def until_written(index):
        nonlocal left
        try:
            return work(index)
        finally:
            with lock:
                left -= index < writers
                if not left:
                    writing.clear()

    lock, left = threading.Lock(), writers
    *_, seen = in_threads(writers + 1, until_written)

    total = environment.events.count()
    assert total > writers * rounds
    assert seen == list(range(1, total + 1))
