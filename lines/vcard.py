"""The contact file of a line (vCard 3.0), for everybody whose phone is offered no contact card."""

import re

import vobject
from vobject.vcard import Address, Name

from lines.models import ContactCard
from lines.pictures import embedded

MIME_TYPE = "text/vcard"
# Bytes of a line, as RFC 2426 has it; vobject leaves pictures in one.
LINE_LENGTH = 75


def vcard_for(line, *, backups=None):
    """The file as bytes. A line without a contact card has its name and its number. `backups` are the lines to write to
    should this one be away; None: those of the card."""
    card = ContactCard.of(line)
    if backups is None:
        backups = [] if card._state.adding else card.backup_lines
    file = vobject.vCard()
    add(file, "version", "3.0")
    add(file, "n", Name(given=card.first_name or str(line), family=card.last_name))
    add(file, "fn", card.name or str(line))
    if card.organisation:
        add(file, "org", [card.organisation])
    add(file, "tel", line.phone_number, type_param=["CELL", "PREF"])
    for number, backup in enumerate(backups, 1):
        add(file, "tel", backup.phone_number, type_param=["CELL"], group=f"item{number}")
        add(file, "x-ablabel", "Backup", group=f"item{number}")
    if not card._state.adding:
        fill(file, card)
    add(file, "uid", f"urn:uuid:{line.pk}")
    return folded(file.serialize()).encode()


def fill(file, card):
    if card.email:
        add(file, "email", card.email, type_param=["INTERNET"])
    if card.website:
        # An address is no text, in which these would be escaped.
        add(file, "url", card.website.replace(",", "%2C").replace(";", "%3B"))
    if card.address:
        add(file, "adr", Address(street=card.address), type_param=["WORK"])
    if card.image:
        add(file, "photo", embedded(card.image), encoding_param="b", type_param="JPEG")
    add(file, "rev", f"{card.changed_at:%Y%m%dT%H%M%SZ}")


def add(file, name, value, **more):
    line = file.add(name)
    line.value = value
    for key, setting in more.items():
        setattr(line, key, setting)


def folded(text):
    """With lines that are still too long in pieces; those are ASCII, the others are folded already."""
    return re.sub(rf"^.{{{LINE_LENGTH + 1},}}(?=\r$)", in_pieces, text, flags=re.ASCII | re.MULTILINE)


def in_pieces(match):
    line = match[0]
    starts = range(LINE_LENGTH, len(line), LINE_LENGTH - 1)
    return "\r\n ".join([line[:LINE_LENGTH], *(line[at : at + LINE_LENGTH - 1] for at in starts)])


def filename_of(line):
    """A name for the file that says whose contact it is."""
    name = ContactCard.of(line).name or str(line)
    return "".join(letter for letter in name if letter.isalnum() or letter in " -_+").strip()[:60] + ".vcf"
