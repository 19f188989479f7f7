"""The statements with which PostgreSQL is the queue of deliveries. Each is one transaction and safe to repeat."""

import orjson

from webhooks.events import EDITED, OLDER
from webhooks.group_commit import run

# Events that one statement publishes in an environment; the next goes on from there.
BATCH = 500
# Attempts at the same time for one subscription: a slow endpoint fills only its own places.
PLACES = 32
# What one claim takes, for one subscription and in all: whoever has that many begun looks again at once, after
# those have had their turn. So a flood does not make its own attempts late.
EACH, MOST = 8, 160
# How many that are due are looked at for it, the oldest first.
LOOK = 500
# Seconds that those of them which stand behind others of their chats step back for the rest to be seen: at least,
# where the other is under way, and at most.
SHORT_STEP, LONG_STEP = 2, 60
# A delivery holds back those behind it in its chat until so many of its attempts have failed; then they pass it.
HOLDS_FOR = 3
# Seconds that a claim outlives the time an attempt may take.
GRACE = 5

BEHIND = """
SELECT DISTINCT subscription.environment_id FROM webhooks_subscription AS subscription
JOIN lines_eventcounter AS counter ON counter.environment_id = subscription.environment_id
WHERE subscription.is_active AND subscription.published < counter.last
"""

# Two processes wait for each other here, and a change of a subscription for both.
PUBLISH = f"""
WITH subscription AS MATERIALIZED (
    SELECT * FROM webhooks_subscription WHERE environment_id = %(environment)s AND is_active
    ORDER BY id FOR UPDATE
), event AS MATERIALIZED (
    SELECT event.*, line.phone_number FROM (
        SELECT * FROM lines_event WHERE environment_id = %(environment)s
        AND sequence > (SELECT min(published) FROM subscription) ORDER BY sequence LIMIT {BATCH}
    ) AS event LEFT JOIN lines_line AS line ON line.id = event.line_id
), wanted AS (
    INSERT INTO webhooks_delivery
        (environment_id, subscription_id, event_id, type, trace_id, chat_id, happened_at)
    SELECT event.environment_id, subscription.id, event.event_id, event.type, event.trace_id,
        event.chat_id, event.created_at
    FROM event JOIN subscription ON event.sequence > subscription.published
        AND event.type = ANY(subscription.subscribed_events)
        AND (subscription.line_id IS NULL OR subscription.line_id = event.line_id)
        AND (event.line_id IS NULL OR subscription.phone_numbers = '{{}}'
            OR event.phone_number = ANY(subscription.phone_numbers))
        AND NOT (event.type = '{EDITED}' AND subscription.version = '{OLDER}')
    ORDER BY event.sequence, subscription.id
    ON CONFLICT (subscription_id, event_id) DO NOTHING
)
UPDATE webhooks_subscription AS moved SET published = reached.sequence
FROM (SELECT max(sequence) AS sequence, count(*) AS events FROM event) AS reached
WHERE moved.id IN (SELECT id FROM subscription) AND moved.published < reached.sequence
RETURNING reached.events
"""

# A claim is its end: who finds a delivery with another end has lost it.
CLAIM = f"""
WITH place AS (
    SELECT subscription.id, least({EACH}, {PLACES} - coalesce(busy.busy, 0)) AS free, schedule.lasts
    FROM webhooks_subscription AS subscription
    JOIN jsonb_to_recordset(%(schedules)s::text::jsonb) AS schedule (profile text, lasts float)
        ON schedule.profile = subscription.profile
    LEFT JOIN jsonb_to_recordset(%(busy)s::text::jsonb) AS busy (id uuid, busy int) ON busy.id = subscription.id
    WHERE subscription.is_active AND coalesce(busy.busy, 0) < {PLACES}
), due AS (
    SELECT delivery.id, place.lasts FROM place CROSS JOIN LATERAL (
        SELECT due.id, due.next_try_at FROM (
            SELECT * FROM webhooks_delivery WHERE subscription_id = place.id
            AND state IN ('waiting', 'delivering') AND next_try_at <= clock_timestamp()
            ORDER BY next_try_at, id LIMIT {LOOK}
        ) AS due
        WHERE due.chat_id IS NULL OR NOT EXISTS (
            SELECT FROM webhooks_delivery AS before
            WHERE before.subscription_id = due.subscription_id AND before.chat_id = due.chat_id
            AND before.id < due.id AND before.state IN ('waiting', 'delivering') AND before.tries < {HOLDS_FOR}
        )
        ORDER BY due.next_try_at, due.id LIMIT place.free
    ) AS delivery
    ORDER BY delivery.next_try_at LIMIT {MOST}
), held AS (
    SELECT delivery.id, due.lasts FROM webhooks_delivery AS delivery JOIN due ON due.id = delivery.id
    WHERE delivery.state IN ('waiting', 'delivering') AND delivery.next_try_at <= clock_timestamp()
    FOR UPDATE OF delivery SKIP LOCKED
), claimed AS (
    UPDATE webhooks_delivery AS delivery
    SET state = 'delivering', next_try_at = clock_timestamp() + held.lasts * interval '1 second'
    FROM held WHERE held.id = delivery.id
    RETURNING delivery.*
)
SELECT claimed.id, claimed.next_try_at, claimed.subscription_id, claimed.event_id, claimed.type, claimed.trace_id,
    claimed.chat_id, claimed.happened_at, claimed.tries, coalesce(claimed.test_data, event.data),
    message.deleted_at IS NOT NULL, environment.slug, subscription.target_url, subscription.version,
    subscription.profile, subscription.routing_key_header, subscription.routing_id_header, token.token,
    ARRAY(SELECT secret.secret FROM webhooks_signingsecret AS secret WHERE secret.subscription_id = subscription.id
        AND (secret.ends_at IS NULL OR secret.ends_at > now()) ORDER BY secret.id DESC)
FROM claimed JOIN webhooks_subscription AS subscription ON subscription.id = claimed.subscription_id
JOIN lines_environment AS environment ON environment.id = claimed.environment_id
LEFT JOIN lines_event AS event ON event.event_id = claimed.event_id
LEFT JOIN inbox_message AS message ON message.id = event.message_id
LEFT JOIN webhooks_routingtoken AS token ON token.subscription_id = claimed.subscription_id
    AND token.chat_id = claimed.chat_id AND subscription.routing_key_header <> ''
ORDER BY claimed.id
"""

# Where LOOK or more are due, and many of them have to wait for the first of their chat, these go behind it in the order
# of time. Otherwise nobody would ever look at a first one that is tried again later than all of them.
STEP_BACK = f"""
WITH flooded AS (
    SELECT subscription.id FROM webhooks_subscription AS subscription WHERE subscription.is_active AND {LOOK} = (
        SELECT count(*) FROM (
            SELECT FROM webhooks_delivery WHERE subscription_id = subscription.id
            AND state IN ('waiting', 'delivering') AND next_try_at <= clock_timestamp() LIMIT {LOOK}
        ) AS due
    )
), behind AS (
    SELECT due.id, due.next_try_at, CASE
        WHEN first.state = 'waiting' OR first.next_try_at <= clock_timestamp()
        THEN least(first.next_try_at, clock_timestamp() + interval '{LONG_STEP} seconds')
        ELSE clock_timestamp() + interval '{SHORT_STEP} seconds' END AS until
    FROM flooded CROSS JOIN LATERAL (
        SELECT * FROM webhooks_delivery WHERE subscription_id = flooded.id
        AND state IN ('waiting', 'delivering') AND next_try_at <= clock_timestamp()
        ORDER BY next_try_at, id LIMIT {LOOK}
    ) AS due CROSS JOIN LATERAL (
        SELECT before.state, before.next_try_at FROM webhooks_delivery AS before
        WHERE before.subscription_id = due.subscription_id AND before.chat_id = due.chat_id
        AND before.id < due.id AND before.state IN ('waiting', 'delivering') AND before.tries < {HOLDS_FOR}
        ORDER BY before.id LIMIT 1
    ) AS first
), held AS (
    SELECT delivery.id, behind.until FROM webhooks_delivery AS delivery JOIN behind ON behind.id = delivery.id
    WHERE delivery.state = 'waiting' AND delivery.next_try_at = behind.next_try_at
    AND behind.until > behind.next_try_at
    FOR UPDATE OF delivery SKIP LOCKED
)
UPDATE webhooks_delivery AS delivery SET next_try_at = held.until FROM held WHERE delivery.id = held.id
RETURNING 1
"""

# What arrived has arrived, whoever has the claim by now; what failed counts only for the one who has it.
FINISH = """
WITH told AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(results)s::text::jsonb) AS told (
        id bigint, claim timestamptz, state text, wait float, started_at timestamptz, duration int,
        request_headers jsonb, status int, response_headers jsonb, response_body text, error text, detail text)
), finished AS (
    UPDATE webhooks_delivery AS delivery SET
        state = told.state, status = told.status, error = told.error, tries = delivery.tries + 1,
        next_try_at = clock_timestamp() + coalesce(told.wait, 0) * interval '1 second',
        finished_at = CASE WHEN told.state <> 'waiting' THEN clock_timestamp() END
    FROM (SELECT * FROM told ORDER BY id) AS told
    WHERE delivery.id = told.id AND (
        told.state = 'delivered' AND delivery.state <> 'delivered'
        OR delivery.state = 'delivering' AND delivery.next_try_at = told.claim
    )
    RETURNING delivery.environment_id, delivery.subscription_id, delivery.state
), attempt AS (
    INSERT INTO webhooks_attempt (delivery_id, started_at, duration, request_headers, status, response_headers,
        response_body, error, detail)
    SELECT told.id, told.started_at, told.duration, told.request_headers, told.status, told.response_headers,
        told.response_body, told.error, told.detail
    FROM told JOIN webhooks_delivery AS delivery ON delivery.id = told.id
    -- Nothing was attempted where the event had gone.
    WHERE told.duration IS NOT NULL ORDER BY told.id
    ON CONFLICT DO NOTHING
), recovered AS (
    UPDATE webhooks_subscription SET failing_since = NULL, warned_at = NULL
    WHERE failing_since IS NOT NULL AND id IN (SELECT subscription_id FROM finished WHERE state = 'delivered')
), failing AS (
    UPDATE webhooks_subscription SET failing_since = now()
    WHERE failing_since IS NULL AND id IN (SELECT subscription_id FROM finished WHERE state = 'failed')
    AND id NOT IN (SELECT subscription_id FROM finished WHERE state = 'delivered')
)
SELECT pg_notify('partyline_deliveries', environment_id::text) FROM (
    SELECT DISTINCT environment_id FROM finished) AS changed
"""

LEARN = """
INSERT INTO webhooks_routingtoken (subscription_id, chat_id, token)
SELECT told.subscription_id, told.chat_id, told.token FROM jsonb_to_recordset(%(tokens)s::text::jsonb) AS told (
    subscription_id uuid, chat_id uuid, token text)
JOIN webhooks_subscription AS subscription ON subscription.id = told.subscription_id
WHERE subscription.routing_key_header <> '' AND subscription.deleted_at IS NULL
ORDER BY told.subscription_id, told.chat_id
ON CONFLICT (subscription_id, chat_id) DO UPDATE SET token = EXCLUDED.token
WHERE webhooks_routingtoken.token <> EXCLUDED.token
RETURNING 1
"""

GIVE_BACK = """
UPDATE webhooks_delivery AS delivery SET state = 'waiting', next_try_at = clock_timestamp()
FROM jsonb_to_recordset(%(claims)s::text::jsonb) AS mine (id bigint, claim timestamptz)
WHERE delivery.id = mine.id AND delivery.state = 'delivering' AND delivery.next_try_at = mine.claim
RETURNING 1
"""


class Queue:
    """Raises DatabaseAway where the database does not answer; then nothing is lost, and everything may be asked again."""

    def __init__(self, pool, schedules):
        self.pool = pool
        lasts = [{"profile": name, "lasts": schedule.timeout + GRACE} for name, schedule in schedules.items()]
        self.schedules = text(lasts)

    async def behind(self):
        """The environments in which there are events that were not published."""
        return {row[0] for row in await run(self.pool, BEHIND)}

    async def publish(self, environment_id):
        """Make the deliveries of the next events; False once there are no more."""
        rows = await run(self.pool, PUBLISH, {"environment": environment_id})
        return bool(rows) and rows[0][0] == BATCH

    async def claim(self, busy):
        """Rows of what is ours to deliver now; `busy` is how many attempts each subscription has going."""
        told = [{"id": str(pk), "busy": count} for pk, count in busy.items()]
        return await run(self.pool, CLAIM, {"busy": text(told), "schedules": self.schedules})

    async def step_back(self):
        """Let those be seen that stand behind many others which have to wait; False where there is nobody to do so."""
        return bool(await run(self.pool, STEP_BACK))

    async def finish(self, results):
        await run(self.pool, FINISH, {"results": text(results)})

    async def learn(self, tokens):
        await run(self.pool, LEARN, {"tokens": text(tokens)})

    async def give_back(self, claims):
        await run(self.pool, GIVE_BACK, {"claims": text(claims)})


def text(rows):
    return orjson.dumps(rows).decode()
