"""What people call themselves, and the picture that they share."""

import hashlib
from datetime import UTC

from inbox import wire
from inbox.mirror.files import learn_files
from inbox.mirror.news import CardNews
from inbox.models import Chat, Contact, Handle, Participant
from inbox.models.naming import CHATS
from partyline.bulk import insert_rows, update_rows


def learn_cards(environment, news, handles, sheet, learned):
    """`handles` are those who shared, by their address, locked."""
    told = [item for item in news if isinstance(item, CardNews)]
    if not told:
        return
    photos = learn_photos(environment, told, learned)
    contacts = contacts_of(environment, handles)
    chats = chats_between(environment, told)
    changed, renamed = {}, set()
    for item in told:
        contact = contacts[item.sender]
        before = contact.name, contact.photo_id
        if not take(contact, item, photos.get(photo_id(item.photo))):
            continue
        changed[contact.pk] = contact
        if before != (contact.name, contact.photo_id):
            renamed.add(handles[item.sender].pk)
        chat = chats.get((item.line, item.sender))
        if chat:
            sheet.note(item.type, chat=chat, data=wire.card(item), trace_id=item.trace_id)
    update_rows(Contact, list(changed.values()), ["first_name", "last_name", "card", "photo"])
    note_names(renamed, sheet)


def contacts_of(environment, handles):
    """{address: Contact}, locked; whoever had none gets one."""
    ids = {handle.contact_id for handle in handles.values() if handle.contact_id}
    known = Contact.objects.filter(pk__in=ids).select_for_update(no_key=True).order_by("pk").in_bulk()
    new = []
    for handle in handles.values():
        if handle.contact_id is None:
            contact = Contact(environment=environment)
            handle.contact_id = contact.pk
            known[contact.pk] = contact
            new.append(handle)
    insert_rows(Contact, [known[handle.contact_id] for handle in new])
    update_rows(Handle, new, ["contact"])
    return {value: known[handle.contact_id] for value, handle in handles.items()}


def take(contact, item, photo):
    """Of all cards the newest name and the newest photo count. A name that came from a card follows the cards; one that
    a colleague gave stays."""
    before = dict(contact.card)
    at = item.at.astimezone(UTC).isoformat(timespec="microseconds")
    first, last = item.first_name[:80], item.last_name[:80]
    known = before.get("first_name", ""), before.get("last_name", "")
    if (first or last) and (at, first, last) > (before.get("received_at", ""), *known):
        if (contact.first_name, contact.last_name) in (known, ("", "")):
            contact.first_name, contact.last_name = first, last
        contact.card = contact.card | {"first_name": first, "last_name": last, "received_at": at}
    if photo and (at, photo.external_id) > (before.get("photo_at", ""), before.get("photo", "")):
        contact.photo = photo
        contact.card = contact.card | {"photo_at": at, "photo": photo.external_id}
    return contact.card != before


def learn_photos(environment, told, learned):
    files = {photo_id(item.photo): {"url": item.photo, "filename": "face"} for item in told if item.photo}
    return learn_files(environment, files, learned)


def photo_id(url):
    return f"face {hashlib.sha256(url.encode()).hexdigest()[:40]}"


def chats_between(environment, told):
    """{(our number, their address): the conversation of the two}"""
    found = Chat.objects.filter(
        environment=environment,
        is_group=False,
        line__phone_number__in={item.line for item in told},
        participants_key__in={item.sender for item in told},
    ).select_related("line")
    return {
        (chat.line.phone_number, chat.participants_key): chat for chat in found.order_by("last_activity_at")
    }


def note_names(handles, sheet):
    """The list and whoever reads with them see it at once."""
    if not handles:
        return
    places = Participant.objects.filter(handle__in=handles, left_at=None).order_by("-chat__last_activity_at")
    for chat in {place.chat_id: place.chat for place in places.select_related("chat")[:CHATS]}.values():
        sheet.note("inbox.contact_changed", chat=chat)
