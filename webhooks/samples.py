"""Events that never happened, one of each type, for test deliveries (contract §5)."""

from datetime import timedelta
from uuid import UUID, uuid5

from django.utils import timezone

from inbox.wire import HEALTH_DOC
from partyline.moments import moment
from webhooks import events

SAMPLES = UUID("b7e5a8a0-5d8f-4a64-9d0e-3f1b8d6c2a10")
CARL, DORA, LINE = "+14155550123", "+14155550188", "+12025550100"
TEXT = "This is a test. Is the blue one still in stock?"


def data(type, environment, *, now=None):
    """`data` of an event of this type, with the environment's first line and people who do not exist."""
    line = environment.lines.order_by("created_at").values_list("phone_number", flat=True).first()
    return SAMPLES_BY_TYPE[type](Scene(now or timezone.now(), line or LINE))


class Scene:
    def __init__(self, now, line):
        self.now, self.line = now, line

    def moment(self, ago=0):
        return moment(self.now - timedelta(seconds=ago))

    def handle(self, value, **more):
        return {
            "id": id_of(value),
            "handle": value,
            "service": "iMessage",
            "joined_at": self.moment(86400),
            "left_at": None,
            "is_me": value == self.line,
            "status": "active",
        } | more

    @property
    def ours(self):
        return self.handle(self.line)

    @property
    def carl(self):
        return self.handle(CARL)

    @property
    def health(self):
        return {
            "status": "HEALTHY",
            "doc_url": f"{HEALTH_DOC}#healthy",
            "updated_at": self.moment(86400),
        }

    @property
    def chat(self):
        return {"id": id_of("chat"), "is_group": False, "owner_handle": self.ours}

    def message(self, *, is_ours=True, delivered=False, read=False):
        return {
            "id": id_of("message"),
            "chat": self.chat | {"health_status": self.health},
            "direction": "outbound" if is_ours else "inbound",
            "sender_handle": self.ours if is_ours else self.carl,
            "parts": [{"type": "text", "value": TEXT}],
            "service": "iMessage",
            "sent_at": self.moment(3),
            "delivered_at": self.moment(2) if delivered else None,
            "read_at": self.moment(1) if read else None,
            "effect": None,
            "reply_to": None,
            "idempotency_key": id_of("key") if is_ours else None,
            "preferred_service": "auto" if is_ours else None,
        }

    def failure(self):
        return {
            "code": 4001,
            "chat_id": id_of("chat"),
            "message_id": id_of("message"),
            "reason": "This is a test",
            "service": "iMessage",
            "failed_at": self.moment(),
        }

    def edit(self):
        chat = self.chat | {"health_status": self.health}
        return {
            "id": id_of("message"),
            "chat": chat,
            "direction": "inbound",
            "edited_at": self.moment(),
            "part": {"index": 0, "text": TEXT},
            "sender_handle": self.carl,
        }

    def reaction(self):
        return {
            "chat_id": id_of("chat"),
            "message_id": id_of("message"),
            "part_index": 0,
            "reaction_id": id_of("reaction"),
            "reaction_type": "love",
            "custom_emoji": None,
            "sticker": None,
            "is_from_me": False,
            "from": CARL,
            "from_handle": self.carl,
            "service": "iMessage",
            "reacted_at": self.moment(),
        }

    def poll_event(self, **more):
        return {
            "chat": self.chat | {"is_group": True},
            "message_id": id_of("poll"),
            "direction": "inbound",
            "service": "iMessage",
            "sender_handle": self.carl,
        } | more

    def option(self, text):
        return {
            "option_id": id_of(text),
            "text": text,
            "can_be_edited": True,
            "creator_handle": self.carl,
            "voters": [],
        }

    def poll(self, *, is_ours=False, delivered=False, read=False, **more):
        times = {"received_at": self.moment(3)}
        if is_ours:
            times = {
                "sent_at": self.moment(3),
                "delivered_at": self.moment(2) if delivered else None,
                "read_at": self.moment(1) if read else None,
            }
        return self.poll_event(
            direction="outbound" if is_ours else "inbound",
            sender_handle=self.ours if is_ours else self.carl,
            poll={"options": [self.option("Blue"), self.option("Green")], "total_voters": 0},
            created_at=self.moment(3),
            updated_at=self.moment(3),
            **times | more,
        )

    def failed_poll(self):
        poll = self.poll(is_ours=True)
        left_out = ("created_at", "updated_at", "sent_at", "delivered_at", "read_at")
        kept = {name: value for name, value in poll.items() if name not in left_out}
        return kept | {
            "sender_handle": None,
            "error": {"code": 4001, "message": "This is a test"},
            "failed_at": self.moment(),
        }

    def member(self, *, has_left=False):
        gone = {"left_at": self.moment(), "status": "removed"} if has_left else {}
        return {
            "chat_id": id_of("chat"),
            "handle": DORA,
            "participant": self.handle(DORA, **gone),
            "removed_at" if has_left else "added_at": self.moment(),
        }

    def new_chat(self):
        return {
            "id": id_of("chat"),
            "display_name": CARL,
            "is_group": False,
            "service": "iMessage",
            "handles": [self.ours, self.carl],
            "health_status": self.health,
            "created_at": self.moment(),
            "updated_at": self.moment(),
        }

    def changed(self, value):
        return {
            "chat_id": id_of("chat"),
            "old_value": None,
            "new_value": value,
            "changed_by_handle": self.carl,
            "updated_at": self.moment(),
        }

    def not_changed(self):
        return {"chat_id": id_of("chat"), "error_code": 4001, "failed_at": self.moment()}

    def background(self):
        return {
            "chat": self.chat,
            "actor_handle": self.carl,
            "background": {"type": "color", "variant": "plum"},
        }

    def typing(self):
        return {"chat_id": id_of("chat"), "actor_handle": self.carl}

    def status(self):
        return {
            "phone_number": self.line,
            "previous_status": "ACTIVE",
            "new_status": "FLAGGED",
            "previous_reputation": "AT_RISK",
            "new_reputation": "CRITICAL",
            "changed_at": self.moment(),
        }

    def number(self):
        return {"phone_number": self.line, "changed_at": self.moment()}

    def card(self):
        return {
            "owner_handle": self.line,
            "sender_handle": CARL,
            "first_name": "Carl",
            "last_name": "",
            "media_url": None,
        }

    def share(self, *, has_ended=False):
        end = {"ended_at": self.moment()} if has_ended else {"ends_at": None}
        return {
            "shared_by": CARL,
            "shared_with": self.line,
            "began_at": self.moment(60),
            "chat_id": id_of("chat"),
        } | end

    def account(self, type):
        return {
            "actor": {"type": "system"},
            "occurred_at": self.moment(),
            "origin": "dashboard",
            "summary": f"This is a test of {type}",
        }


def id_of(name):
    return str(uuid5(SAMPLES, name))


SAMPLES_BY_TYPE = {
    "message.sent": lambda scene: scene.message(),
    "message.received": lambda scene: scene.message(is_ours=False),
    "message.delivered": lambda scene: scene.message(delivered=True),
    "message.read": lambda scene: scene.message(delivered=True, read=True),
    "message.failed": Scene.failure,
    "message.edited": Scene.edit,
    "reaction.added": Scene.reaction,
    "reaction.removed": Scene.reaction,
    "poll.received": Scene.poll,
    "poll.sent": lambda scene: scene.poll(is_ours=True),
    "poll.delivered": lambda scene: scene.poll(is_ours=True, delivered=True),
    "poll.read": lambda scene: scene.poll(is_ours=True, delivered=True, read=True),
    "poll.failed": Scene.failed_poll,
    "poll.updated": lambda scene: scene.poll_event(
        sender_handle=scene.ours, added_options=[scene.option("Red")]
    ),
    "poll.vote.added": lambda scene: scene.poll_event(option_id=id_of("Blue")),
    "poll.vote.removed": lambda scene: scene.poll_event(option_id=id_of("Blue")),
    "poll.reaction.added": Scene.reaction,
    "participant.added": Scene.member,
    "participant.removed": lambda scene: scene.member(has_left=True),
    "chat.created": Scene.new_chat,
    "chat.group_name_updated": lambda scene: scene.changed("This is a test"),
    "chat.group_icon_updated": lambda scene: scene.changed(None),
    "chat.group_name_update_failed": Scene.not_changed,
    "chat.group_icon_update_failed": Scene.not_changed,
    "chat.background_updated": Scene.background,
    "chat.background_update_failed": Scene.not_changed,
    "chat.typing_indicator.started": Scene.typing,
    "chat.typing_indicator.stopped": Scene.typing,
    "phone_number.status_updated": Scene.status,
    "phone_number.assigned": Scene.number,
    "phone_number.released": Scene.number,
    "contact_card.received": Scene.card,
    "location.sharing.started": Scene.share,
    "location.sharing.stopped": lambda scene: scene.share(has_ended=True),
}
for name in events.FAMILIES["Account"]:
    SAMPLES_BY_TYPE[name] = lambda scene, name=name: scene.account(name)
TYPES = frozenset(SAMPLES_BY_TYPE)
