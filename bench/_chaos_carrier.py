"""A carrier in a hurry: posts signed webhooks on several connections, each until it is acknowledged."""

import collections
import http.client
import json
import threading
import time

from webhooks.signatures import sign_standard

# Seconds: for one answer, before a refused webhook is posted again, and before we give up altogether.
ANSWER, AGAIN, GIVES_UP = 10, 0.3, 180


class Carrier:
    def __init__(self, port, environment, events, *, connections=16):
        self.port, self.slug, self.secret = port, environment.slug, environment.signing_secret
        self.waiting = collections.deque((event["event_id"], json.dumps(event).encode()) for event in events)
        self.acknowledged = set()
        self.posts = self.repeats = self.refused = 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(connections)]

    def start(self):
        self.until = time.monotonic() + GIVES_UP
        for thread in self.threads:
            thread.start()

    @property
    def is_done(self):
        return not any(thread.is_alive() for thread in self.threads)

    def work(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER)
        while time.monotonic() < self.until:
            try:
                event_id, body = self.waiting.popleft()
            except IndexError:
                return
            status, answer = self.post(connection, event_id, body)
            with self.lock:
                self.posts += 1
                if status == 200:
                    self.acknowledged.add(event_id)
                    self.repeats += answer["repeat"]
                    continue
                self.refused += 1
            self.waiting.append((event_id, body))
            time.sleep(AGAIN)

    def post(self, connection, event_id, body):
        now = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": event_id,
            "webhook-timestamp": str(now),
            "webhook-signature": sign_standard(self.secret, event_id, now, body),
        }
        try:
            connection.request("POST", f"/webhooks/in/{self.slug}/", body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            # Killed before, while or after it kept it: the next attempt will tell.
            connection.close()
            return None, None
