"""The demo team: made once, and as it would look had all of it happened."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from inbox.models import Attachment, Chat, ChatRead, Edit, Message, Note, PollVote, Reaction, ScheduledSend
from lines.models import Environment, Event, Handset, OptOut, SandboxMessage, SandboxWebhook, User
from webhooks.models import Receipt


@pytest.fixture
def fairwheel(db):
    call_command("demo")
    return Environment.objects.get(slug="fairwheel")


def test_it_is_made_in_a_moment_and_only_once(fairwheel):
    before = [model.objects.count() for model in (Chat, Message, User, Handset, Receipt)]
    call_command("demo")

    assert [model.objects.count() for model in (Chat, Message, User, Handset, Receipt)] == before
    assert before[0] >= 25
    assert before[1] >= 120


def test_every_webhook_of_its_history_was_understood(fairwheel):
    assert set(Receipt.objects.values_list("state", flat=True)) == {"applied"}
    assert not SandboxWebhook.objects.exists()
    assert Message.objects.count() == SandboxMessage.objects.count()


def test_it_shows_every_state_that_a_message_can_end_in(fairwheel):
    states = {message.state for message in Message.objects.all()}

    assert states == {"received", "sent", "delivered", "read", "failed"}
    assert OptOut.objects.active().get().keyword == "STOP"
    assert Chat.objects.get(is_group=True).display_name == "Sunday Gravel Crew"
    assert Chat.objects.filter(status="closed").count() > 3


def test_what_we_wrote_has_an_author_and_nothing_came_late(fairwheel):
    assert not Message.objects.filter(direction="outbound", author=None).exists()
    assert not any(message.came_late for message in Message.objects.all())
    assert Message.objects.filter(at__gt=timezone.now()).count() == 0
    assert Message.objects.filter(at__lt=timezone.now() - timedelta(days=7)).exists()


def test_its_files_are_there(fairwheel):
    kinds = set(Attachment.objects.values_list("mime_type", flat=True))

    pictures = {"image/png", "image/jpeg", "image/heic"}
    assert kinds == pictures | {"audio/mp4", "video/mp4", "application/pdf", "text/vcard"}
    assert not Attachment.objects.exclude(state="stored").exists()
    assert all(attachment.file.size for attachment in Attachment.objects.all())


def test_what_browsers_need_of_them_is_made(fairwheel):
    by_kind = {attachment.mime_type: attachment for attachment in Attachment.objects.all()}

    assert set(Attachment.objects.values_list("preview_state", flat=True)) == {"none", "made"}
    assert by_kind["image/heic"].preview.size
    assert by_kind["video/mp4"].is_playable
    assert by_kind["video/mp4"].preview.size
    assert len(set(by_kind["audio/mp4"].peaks)) > 5
    assert round(by_kind["audio/mp4"].seconds) == 8
    assert by_kind["text/vcard"].card["name"] == "Amara Diallo"


def test_people_see_their_lines_and_what_is_new_on_them(fairwheel):
    ana, lea = (User.objects.get(email=f"{name}@fairwheel.example") for name in ("ana", "lea"))

    assert {str(line) for line in fairwheel.lines.filter(people=ana)} == {"Shop", "Rentals", "Rides"}
    assert Chat.objects.visible_to(lea).count() == Chat.objects.count()
    assert ChatRead.objects.filter(user=ana, is_unread=True).exists()
    assert Chat.objects.exclude(waiting_since=None).count() < 12


def test_the_team_wrote_for_itself_too(fairwheel):
    note, scheduled = Note.objects.get(), ScheduledSend.objects.get()

    assert [str(person) for person in note.mentions.all()] == [str(note.chat.assignee)]
    assert note.at < timezone.now() - timedelta(days=1)
    assert (scheduled.state, scheduled.said_at.split()[1]) == ("waiting", "9:00")
    assert fairwheel.saved_replies.count() == 4


def test_a_newcomer_sees_what_people_do_with_messages(fairwheel):
    crew = Chat.objects.get(is_group=True)
    amara = crew.participants.get(handle__contact__first_name="Amara")

    assert Reaction.objects.live().filter(author__name="Max Adler", type="like").count() == 1
    assert Reaction.objects.live().filter(chat=crew, handle__isnull=False).count() == 3
    assert Message.objects.exclude(original=None).count() == 2
    assert Message.objects.get(effect__name="confetti").author.name == "Ana Ferreira"
    assert Edit.objects.filter(is_first=False).count() == 2
    assert Edit.objects.get(author__name="Ana Ferreira", is_first=False).text.startswith("Easy: about 11")
    assert amara.joined_at > crew.created_at + timedelta(days=3)
    assert PollVote.objects.filter(message__chat=crew, added_at__isnull=False).count() == 3
    told = dict(Event.objects.filter(chat_id=crew.pk).values_list("type", "created_at"))
    assert told["participant.added"] == amara.joined_at
    assert told["chat.group_name_updated"] < told["participant.added"]
