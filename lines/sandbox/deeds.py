"""What can be pressed on a handset: the name in the URL -> what the customer does, with what the form said."""

from dataclasses import dataclass
from datetime import timedelta

from django.http import Http404

from lines.gateways.base import PermanentFailure
from lines.models.sandbox import Handset
from lines.sandbox import camera, carrier, customers, phone, touch, typing


@dataclass
class Deed:
    """`said` is the cleaned data of a DeedForm. What it names that this phone does not have is a 404."""

    handset: Handset
    thread: phone.Thread
    said: dict

    @property
    def chat(self):
        """The chat of the thread, begun where it is not there yet."""
        if self.thread is None:
            raise Http404("There is no line to write to")
        return self.thread.chat or carrier.chat_with(self.handset, self.thread.line_number)

    @property
    def message(self):
        found = self.optional_message
        if found is None:
            raise Http404("The phone has no such message")
        return found

    @property
    def optional_message(self):
        if not self.said["message"]:
            return None
        if self.thread is None or self.thread.chat is None:
            raise Http404("The phone has no such message")
        found = phone.messages_on(self.handset, self.thread.chat).filter(pk=self.said["message"]).first()
        if found is None:
            raise Http404("The phone has no such message")
        return found

    @property
    def part(self):
        return self.said["part"] or 0

    @property
    def others(self):
        """The other phones that were chosen."""
        phones = Handset.objects.filter(environment=self.handset.environment_id).exclude(pk=self.handset.pk)
        return list(phones.filter(pk__in=self.said["phones"]))

    @property
    def other(self):
        if len(self.others) != 1:
            raise PermanentFailure("Choose somebody")
        return self.others[0]

    def named(self, known):
        """What was chosen of `known`."""
        if self.said["name"] not in known:
            raise Http404("There is no such choice")
        return self.said["name"]

    @property
    def picture(self):
        file = self.said["picture"]
        return (file.name, file.content_type or "", file.read()) if file else camera.icon()


def react(deed):
    """What is there already is taken back, as on a phone."""
    type, emoji = deed.said["type"], deed.said["emoji"].strip()
    emoji = emoji if type == "custom" else ""
    mine = touch.tapback(deed.message, deed.part, deed.handset)
    if mine and (mine.type, mine.emoji) == (type, emoji):
        return customers.unreact(deed.handset, deed.message, part_index=deed.part)
    customers.react(deed.handset, deed.message, type, emoji=emoji, part_index=deed.part)


def start_group(deed):
    if deed.thread is None:
        raise Http404("There is no line to write to")
    words = deed.said["text"]
    if not words:
        raise PermanentFailure("A group begins with a message")
    message = customers.start_group(deed.handset, deed.thread.line_number, deed.others, words)
    deed.thread.key = str(message.chat_id)


def begin_location(deed):
    lasts = timedelta(hours=1) if deed.said["name"] == "hour" else None
    customers.share_location(deed.handset, deed.chat, lasts=lasts)


def flip(name):
    def turn(deed):
        is_on = getattr(deed.handset, name)
        Handset.objects.filter(pk=deed.handset.pk).update(**{name: not is_on})

    return turn


def turn_coverage(deed):
    (carrier.leave_coverage if deed.handset.in_coverage else carrier.enter_coverage)(deed.handset)


def of_made(make):
    """Send what the phone makes by itself."""
    return lambda deed: customers.file(deed.handset, deed.chat, make(deed))


def of_chat(do):
    """What needs a chat that is there."""

    def done(deed):
        if deed.thread and deed.thread.chat:
            do(deed.handset, deed.thread.chat)

    return done


# Those that change nothing on the screen of the phone that does them.
SILENT = {
    "typing": of_chat(typing.start),
    "stopped-typing": of_chat(typing.stop),
}
DEEDS = SILENT | {
    "read": of_chat(carrier.read),
    "coverage": turn_coverage,
    "receipts": flip("sends_read_receipts"),
    "reading": flip("reads_at_once"),
    "spam": lambda deed: carrier.report_spam(deed.handset),
    "nudge": of_chat(carrier.nudge),
    "react": react,
    "stick": lambda deed: customers.stick(
        deed.handset, deed.message, deed.named(camera.STICKERS), part_index=deed.part
    ),
    "edit": lambda deed: customers.edit(deed.handset, deed.message, deed.said["text"], part_index=deed.part),
    "photo": lambda deed: customers.photo(deed.handset, deed.chat),
    "voice-memo": lambda deed: customers.voice_memo(deed.handset, deed.chat),
    "video": of_made(lambda deed: camera.film()),
    "contact": of_made(lambda deed: camera.card(deed.handset)),
    "calendar": of_made(lambda deed: camera.event()),
    "app": lambda deed: customers.app(deed.handset, deed.chat, customers.APP),
    "app-clip": lambda deed: customers.app(deed.handset, deed.chat, customers.CLIP),
    "poll": lambda deed: customers.poll(deed.handset, deed.chat, deed.said["options"]),
    "vote": lambda deed: customers.vote(deed.handset, deed.message, deed.said["option"]),
    "add-option": lambda deed: customers.add_option(deed.handset, deed.message, deed.said["text"]),
    "share-location": begin_location,
    "stop-location": of_chat(customers.stop_location),
    "share-card": of_chat(customers.share_card),
    "add-card": of_chat(customers.add_card),
    "background": lambda deed: customers.set_background(
        deed.handset, deed.chat, deed.named(customers.BACKGROUNDS)
    ),
    "unknown": lambda deed: customers.something_unknown(
        deed.handset, deed.chat, deed.named(customers.UNKNOWN)
    ),
    "rename": lambda deed: customers.rename(deed.handset, deed.chat, deed.said["name"]),
    "icon": lambda deed: customers.set_icon(deed.handset, deed.chat, deed.picture),
    "add": lambda deed: customers.add(deed.handset, deed.chat, deed.other),
    "remove": lambda deed: customers.remove(deed.handset, deed.chat, deed.other),
    "leave": of_chat(customers.leave),
    "start-group": start_group,
}
