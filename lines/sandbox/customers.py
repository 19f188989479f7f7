"""What customers do on their phones besides writing: each is told to our side as a real carrier would.

PermanentFailure, with a sentence for who holds the phone, where the phone or its service cannot do it.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from lines.gateways.base import PermanentFailure
from lines.models.sandbox import SandboxHappening, SandboxLocation, SandboxMember
from lines.sandbox import (
    backgrounds,
    camera,
    carrier,
    groups,
    happenings,
    locations,
    outbox,
    polls,
    shelf,
    touch,
)
from lines.sandbox.groups import locked, note, present
from lines.sandbox.services import require

Kind = SandboxHappening.Kind
PLACES = [
    (-122.6750, 45.5513, "3518 N Mississippi Ave, Portland"),
    (-122.6440, 45.5590, "2035 NE Alberta St, Portland"),
    (-122.7163, 45.5417, "NW Leif Erikson Dr, Portland"),
]
BACKGROUNDS = {
    "mango": {"type": "color", "variant": "mango", "shades": ["#F7B267", "#F4845F"]},
    "aurora": {"type": "dynamic", "style": "aurora", "variant": "purple"},
    "none": None,
}
UNKNOWN = {"call": "call.ringing", "invented": "hologram.projected"}
APP = {
    "type": "imessage_app",
    "app": {"bundle_id": "example.fairwheel.rides", "name": "Ride Planner", "team_id": "FAIRWHEEL1"},
    "layout": {
        "caption": "Sunday loop",
        "subcaption": "42 km, mostly gravel",
        "trailing_caption": "3 riders",
    },
    "url": "https://rides.example/loop/7",
    "fallback_text": "A ride in Ride Planner",
}
CLIP = {
    "type": "app_clip",
    "value": "https://appclip.example/park?spot=12",
    "title": "Bike parking",
    "description": "Rent spot 12 for the day",
    "image_url": None,
}


def text(handset, chat, words, *, effect=None, original=None, part_index=0):
    """Words, perhaps with an effect, perhaps in answer to a message that is on the phone."""
    if effect:
        require("effect", chat.service, "Effects are for iMessage only")
    if original:
        require("reply", chat.service, f"{chat.service} has no replies")
    parts = [{"type": "text", "value": words}]
    return carrier.send(
        handset, chat, parts, effect=effect, original=original, original_part=part_index if original else 0
    )


def file(handset, chat, made):
    """A file that the phone made: (name, type, bytes)."""
    carrier.need_coverage(handset)
    return carrier.send(handset, chat, [shelf.keep(handset.environment, *made)])


def voice_memo(handset, chat):
    return file(handset, chat, camera.memo() if handset.service == "iMessage" else camera.recording())


def photo(handset, chat):
    return file(handset, chat, camera.heic() if handset.service == "iMessage" else camera.jpeg())


def app(handset, chat, part):
    require("app", chat.service, "Apps are for iMessage only")
    return carrier.send(handset, chat, [part])


def react(handset, message, type, *, emoji="", part_index=0):
    carrier.need_coverage(handset)
    return touch.react(message, type, emoji=emoji, part_index=part_index, by=handset)


def unreact(handset, message, *, part_index=0):
    carrier.need_coverage(handset)
    touch.unreact(message, part_index=part_index, by=handset)


def stick(handset, message, name, *, part_index=0):
    carrier.need_coverage(handset)
    media = shelf.store(handset.environment, *camera.sticker(name))
    return touch.stick(message, media, part_index=part_index, by=handset)


def edit(handset, message, words, *, part_index=0):
    carrier.need_coverage(handset)
    touch.edit(message, words, part_index=part_index, by=handset)


def rename(handset, chat, name):
    change(handset, chat, "rename", "has no names for groups")
    groups.rename(chat, name, by=handset)


def set_icon(handset, chat, made):
    change(handset, chat, "rename", "has no pictures for groups")
    groups.set_icon(chat, shelf.store(handset.environment, *made), by=handset)


def add(handset, chat, other):
    change(handset, chat, "members", "keeps its members")
    groups.add(chat, other, by=handset)


def remove(handset, chat, other):
    change(handset, chat, "members", "keeps its members")
    groups.remove(chat, other, by=handset)


def leave(handset, chat):
    change(handset, chat, "leave", "groups cannot be left")
    groups.leave(chat, by=handset)


def change(handset, chat, ability, lack):
    """Only who is in a group changes it, while there is coverage."""
    carrier.need_coverage(handset)
    present(chat, handset)
    require(ability, chat.service, f"{chat.service} {lack}")


def start_group(handset, line_number, others, words):
    """The customer writes to our line and other people at once; returns the message."""
    carrier.need_coverage(handset)
    if not others:
        raise PermanentFailure("Choose who else is in it")
    chat, _ = carrier.open_chat(handset.environment, line_number, [handset, *others])
    return text(handset, chat, words)


def poll(handset, chat, texts):
    require("poll", chat.service, "Polls are for iMessage only")
    texts = [text[:100] for text in texts]
    if len(texts) < 2:
        raise PermanentFailure("A poll has two options or more")
    return carrier.send(handset, chat, [], poll={"options": polls.new_options(texts[:12], handset)})


def vote(handset, message, option_id):
    """Vote for an option, or take the vote back."""
    carrier.need_coverage(handset)
    message.refresh_from_db(fields=["poll"])
    option = polls.option_of(polls.need_poll(message), option_id)
    has_voted = any(voter["handle"] == handset.handle for voter in option["voters"])
    polls.vote(message, option_id, is_removed=has_voted, by=handset)


def add_option(handset, message, text):
    carrier.need_coverage(handset)
    polls.add(message, [text[:100]], by=handset)


@transaction.atomic
def share_location(handset, chat, *, lasts=timedelta(hours=1)):
    """Let our line see where the phone is, for a while; `lasts` None: until they stop it."""
    carrier.need_coverage(handset)
    require("location", chat.service, "Locations are shared on iMessage only")
    chat, now = locked(chat), timezone.now()
    member = present(chat, handset)
    mine = SandboxLocation.objects.filter(chat=chat, handset=handset, ended_at=None)
    mine.filter(ends_at__lte=now).update(ended_at=now)
    if mine.exists():
        raise PermanentFailure("They are sharing it already")
    longitude, latitude, address = PLACES[member.handset_id % len(PLACES)]
    share = SandboxLocation(
        chat=chat, handset=handset, longitude=longitude, latitude=latitude, address=address, began_at=now
    )
    share.ends_at = lasts and now + lasts
    told = [happenings.location_started(chat, share)]
    if lasts:
        told.append(happenings.location_stopped(chat, share, share.ends_at))
        share.end_event = told[-1].event_id
    share.save()
    note(chat, Kind.LOCATION, now, by=handset)
    outbox.queue(chat.environment, told)


def stop_location(handset, chat):
    carrier.need_coverage(handset)
    locations.stop(chat, handset, by=handset)


def share_card(handset, chat):
    """Their own name and photo."""
    carrier.need_coverage(handset)
    require("card", chat.service, "Names and photos are shared on iMessage only")
    present(chat, handset)
    picture = shelf.store(handset.environment, *camera.portrait(handset.initials, handset.tone))
    outbox.queue(chat.environment, [happenings.card_received(chat, handset, picture, timezone.now())])


def add_card(handset, chat):
    """Take over the name and the photo that our line has shared."""
    SandboxMember.objects.filter(chat=chat, handset=handset, card_offered_at__isnull=False).update(
        card_added_at=timezone.now()
    )


def set_background(handset, chat, name):
    carrier.need_coverage(handset)
    require("background", chat.service, "Backgrounds are for iMessage only")
    present(chat, handset)
    backgrounds.change(chat, BACKGROUNDS[name], by=handset)


def something_unknown(handset, chat, name):
    """What no documentation describes."""
    carrier.need_coverage(handset)
    outbox.queue(chat.environment, [happenings.unknown(chat, UNKNOWN[name], handset, timezone.now())])
