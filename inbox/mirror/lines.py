"""What the carrier says of our numbers."""

from inbox import wire
from inbox.mirror.chats import learn_lines
from inbox.mirror.news import LineNews
from inbox.models import Message
from lines.models import Line, LineAlert
from partyline.bulk import update_rows


def learn_numbers(environment, news, sheet):
    """Lines that are new appear; of what is said of one the newest counts."""
    told = [item for item in news if isinstance(item, LineNews)]
    if not told:
        return
    learn_lines(environment, {item.number for item in told})
    found = environment.lines.filter(phone_number__in={item.number for item in told})
    lines = {line.phone_number: line for line in found.select_for_update(no_key=True).order_by("pk")}
    changed, stood = {}, {line.pk: line.status for line in lines.values()}
    for item in told:
        line = lines[item.number]
        before = line.carrier_status, line.reputation
        if line.hear(item.status, at=item.at, reputation=item.reputation):
            changed[line.pk] = line
            data = wire.number(line, item, before)
            sheet.note(item.type, line=line, data=data, trace_id=item.trace_id)
    update_rows(Line, list(changed.values()), Line.HEARD)
    for line in changed.values():
        LineAlert.follow(line)
    if works := [
        pk for pk, line in changed.items() if line.status in Line.WORKING and stood[pk] != line.status
    ]:
        Message.look_again(line__in=works)
