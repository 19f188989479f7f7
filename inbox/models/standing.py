"""Where a chat stands after what reactions and deletions changed: set-based, from what is stored, in any order."""

from django.db import connection

RECONSIDER = """
WITH rows AS (
    SELECT DISTINCT ON (
        reaction.message_id, reaction.part_index, reaction.handle_id,
        CASE WHEN reaction.type = 'sticker' THEN reaction.key END
    )
        reaction.id, reaction.chat_id, reaction.message_id, reaction.handle_id, reaction.type, reaction.key, reaction.added_at,
        message.direction,
        (reaction.removed_at IS NULL OR reaction.removed_at < reaction.added_at) AS is_live
    FROM inbox_reaction reaction JOIN inbox_message message ON message.id = reaction.message_id
    WHERE reaction.chat_id = ANY(%(chats)s) AND reaction.added_at IS NOT NULL AND message.deleted_at IS NULL
    ORDER BY
        reaction.message_id, reaction.part_index, reaction.handle_id,
        CASE WHEN reaction.type = 'sticker' THEN reaction.key END,
        reaction.added_at DESC, reaction.key DESC
),
summary AS (
    SELECT
        chat.id, GREATEST(chat.last_outbound_at, chat.closed_at) AS settled_at,
        (SELECT id FROM rows WHERE chat_id = chat.id AND is_live ORDER BY added_at DESC, key DESC, message_id DESC LIMIT 1)
            AS last_reaction,
        (SELECT max(added_at) FROM rows WHERE chat_id = chat.id) AS latest,
        (SELECT max(added_at) FROM rows WHERE environment.reactions_answer AND chat_id = chat.id AND is_live
            AND handle_id IS NULL AND type <> 'sticker' AND direction = 'inbound') AS reacted_at,
        (SELECT max(added_at) FROM rows WHERE environment.reactions_answer AND chat_id = chat.id AND is_live
            AND handle_id IS NOT NULL AND type = ANY(%(asks)s) AND direction = 'outbound') AS asked_at
    FROM inbox_chat chat JOIN lines_environment environment ON environment.id = chat.environment_id
    WHERE chat.id = ANY(%(chats)s)
),
standing AS (
    SELECT
        summary.*,
        LEAST(
            (SELECT min(at) FROM inbox_message message WHERE message.chat_id = summary.id
                AND message.direction = 'inbound' AND message.reconciled_at IS NULL
                AND message.at > COALESCE(GREATEST(settled_at, reacted_at), '-infinity')),
            CASE WHEN asked_at IS NOT NULL THEN
                (SELECT min(added_at) FROM rows WHERE chat_id = summary.id AND is_live
                    AND handle_id IS NOT NULL AND type = ANY(%(asks)s) AND direction = 'outbound'
                    AND added_at > COALESCE(GREATEST(settled_at, reacted_at), '-infinity'))
            END
        ) AS waiting_since
    FROM summary
)
UPDATE inbox_chat chat SET
    last_reaction_id = standing.last_reaction,
    reacted_at = standing.reacted_at,
    asked_at = standing.asked_at,
    latest_reaction_at = standing.latest,
    last_activity_at = COALESCE(GREATEST(chat.last_message_at, standing.latest), chat.last_activity_at),
    status = CASE
        WHEN chat.status = 'closed' AND standing.asked_at > chat.closed_at THEN 'open'
        WHEN chat.status = 'snoozed' AND standing.asked_at > COALESCE(chat.asked_at, '-infinity') THEN 'open'
        ELSE chat.status
    END,
    snoozed_until = CASE
        WHEN standing.asked_at > COALESCE(chat.asked_at, '-infinity') THEN NULL ELSE chat.snoozed_until
    END,
    waiting_since = CASE
        WHEN chat.status = 'closed' AND NOT COALESCE(standing.asked_at > chat.closed_at, false) THEN NULL
        ELSE standing.waiting_since
    END
FROM standing WHERE standing.id = chat.id
"""


def reconsider(chat_ids):
    """Preview, place in the list, and since when they wait for us, for these chats; a constant number of queries.

    Call it in the transaction of the change, with the chats locked.
    """
    from inbox.models.reaction import ASKS

    if chat_ids:
        with connection.cursor() as cursor:
            cursor.execute(RECONSIDER, {"chats": sorted(chat_ids), "asks": list(ASKS)})
