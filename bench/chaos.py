"""Nothing acknowledged is lost, nothing happens twice: a carrier posts at full speed, repeating itself and in
disorder, and people answer, while the web process, the worker and Valkey are killed and started again.

Afterwards every webhook that was answered 200 is applied exactly once, and every reply has left exactly once.
"""

import argparse
import itertools
import random
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from _chaos_copy import running_copy
from _harness import finish, print_table

VICTIMS = ["web", "worker", "valkey"]
# A claim of the dead lasts a minute, and a carrier that was refused often waits half of one.
SETTLES_WITHIN = 150
HANDSETS = 10


def main():
    parser = argparse.ArgumentParser(prog="bin/bench chaos", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="800 webhooks, 40 replies, each killed twice")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="to see the same again")
    options = parser.parse_args()
    webhooks, replies, rounds = (800, 40, 2) if options.quick else (5000, 100, 4)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with running_copy() as copy:
        figures, wrong = Chaos(copy, webhooks, replies, options.seed).run(rounds, quick=options.quick)
        for sentence in wrong[:30]:
            print("WRONG:", sentence)
        if wrong:
            print(copy.last_words())
    print_table(["", ""], [[name.replace("_", " "), value] for name, value in figures.items()])
    finish("chaos", figures, ok=not wrong)


class Chaos:
    def __init__(self, copy, webhooks, replies, seed):
        from _chaos_carrier import Carrier
        from _chaos_story import LINE, Story

        from lines.models import Environment, Line, User

        self.copy, self.seed, self.dice = copy, seed, random.Random(seed)
        self.environment = Environment.objects.create(name="Chaos", slug="chaos")
        line = Line.objects.create(environment=self.environment, phone_number=LINE)
        ana = User.objects.create_user("ana@chaos.example", name="Ana")
        self.environment.admit(ana, role="agent", lines=[line])
        self.story = Story(webhooks, seed=seed)
        self.carrier = Carrier(copy.port, self.environment, self.story.as_posted(repeats=0.1))
        self.replies = Replies(line, ana, replies, self.dice)

    def run(self, rounds, *, quick):
        began = time.monotonic()
        self.carrier.start()
        self.replies.start()
        kills = self.rage(rounds)
        calm = time.monotonic()
        if quick:
            forward_a_minute()
        waiting = self.settle()
        figures = {
            "webhooks": len(self.story.events),
            "acknowledged": len(self.carrier.acknowledged),
            "not_acknowledged": len(self.story.events) - len(self.carrier.acknowledged),
            "posts": self.carrier.posts,
            "posts_without_200": self.carrier.refused,
            "repeats_answered_200": self.carrier.repeats,
            "replies": len(self.replies.texts),
            "double_clicks": self.replies.double_clicks,
            **{f"kills_of_{name}": count for name, count in kills.items()},
            "seconds_of_chaos": round(calm - began, 1),
            "seconds_to_settle": round(time.monotonic() - calm, 1),
            "seed": self.seed,
        }
        return figures, [f"{count} {name} still wait" for name, count in waiting.items()] + self.check()

    def rage(self, rounds):
        """Kill one after the other, each at least `rounds` times, until everything is posted and written."""
        kills = dict.fromkeys(VICTIMS, 0)
        for name in itertools.cycle(VICTIMS):
            is_over = self.carrier.is_done and self.replies.is_done
            if is_over and min(kills.values()) >= rounds:
                return kills
            self.copy.kill(name, after=self.dice.uniform(0.2, 1.5))
            kills[name] += 1

    def settle(self):
        """Wait until nothing is pending any more; returns what still is."""
        import _chaos_checks as checks

        give_up = time.monotonic() + SETTLES_WITHIN
        while (waiting := checks.unsettled(self.environment)) and time.monotonic() < give_up:
            self.copy.check()
            time.sleep(0.25)
        return waiting

    def check(self):
        import _chaos_checks as checks

        return [
            *self.replies.troubles,
            *checks.receipts_are_whole(self.environment, self.story, self.carrier.acknowledged),
            *checks.messages_are_right(self.environment, self.story),
            *checks.chats_are_right(self.environment, self.story),
            *checks.log_is_right(self.environment, self.story),
            *checks.replies_left_once(self.environment, self.replies),
        ]


class Replies:
    """Ana answers on some phones of the sandbox, and now and then clicks twice."""

    def __init__(self, line, ana, count, dice):
        from inbox.models import Chat

        self.ana, self.dice = ana, dice
        self.texts = {f"key-{number}": f"Reply no. {number}" for number in range(count)}
        self.chats = [Chat.start(line, [f"+1628555{number:04}"], by=ana) for number in range(HANDSETS)]
        self.double_clicks = 0
        self.troubles = []
        self.thread = threading.Thread(target=self.work, daemon=True)

    def start(self):
        self.thread.start()

    @property
    def is_done(self):
        return not self.thread.is_alive()

    def work(self):
        with ThreadPoolExecutor(2) as hands:
            for number, (key, text) in enumerate(self.texts.items()):
                clicks = 2 if self.dice.random() < 0.2 else 1
                self.double_clicks += clicks - 1
                chat = self.chats[number % len(self.chats)]
                list(
                    hands.map(
                        lambda _, chat=chat, key=key, text=text: self.click(chat, key, text), range(clicks)
                    )
                )
                time.sleep(0.1)

    def click(self, chat, key, text):
        from django.db import connection

        try:
            chat.__class__.objects.get(pk=chat.pk).send(by=self.ana, text=text, key=key)
        except Exception as error:  # whatever the person at the screen would have got to see
            self.troubles.append(f"reply {key} could not be written: {error!r}")
        finally:
            connection.close()


def forward_a_minute():
    """What a killed process had claimed is taken over after a minute; --quick does not wait for that minute.

    Nobody else is hurt: sending again under the same key, and posting again, are harmless.
    """
    from django.db.models import F
    from django.utils import timezone

    from inbox.models import Message
    from lines.models.sandbox import SandboxWebhook

    minute = timedelta(minutes=1)
    Message.waiting_to_leave().exclude(claimed_at=None).update(claimed_at=F("claimed_at") - minute)
    SandboxWebhook.objects.filter(delivered_at=None, due_at__gt=timezone.now()).update(due_at=timezone.now())


if __name__ == "__main__":
    main()
