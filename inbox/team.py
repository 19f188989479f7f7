"""The inboxes of a team: every colleague's and every line's that somebody may look into, and how much waits there."""

from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count, F, Q
from django.http import Http404
from django.urls import reverse

from inbox.boxes import Box
from inbox.models import Chat, ChatRead
from inbox.shortcuts import one_in
from lines.models import Line
from lines.people import colleagues_of

# People, and lines, that are listed.
MOST = 500
EVERYONE = "everyone"


class TeamBox(Box):
    """The inbox of `whose`, as its address says it. What is read in the inbox of another changes nothing for them."""

    is_team = True
    views = {"open": "Open", "waiting": "Waiting", "snoozed": "Snoozed", "closed": "Closed"}
    first = "open"
    # What the search is narrowed to.
    search = ""
    # What stands above a conversation in it.
    notice = ""

    def __init__(self, request, view, whose=EVERYONE):
        super().__init__(request, view or self.first)
        self.whose = whose
        self.environment = request.environment
        self.lines = lines_for(request)

    @property
    def is_anothers(self):
        """Then its marks of unread are not the looker's, and reading leaves no trace."""
        return self.reader != self.user

    @cached_property
    def team(self):
        return team_of(self)

    def path_of(self, view):
        return reverse("team-inbox", args=[self.whose, view])

    @property
    def counts_base(self):
        return reverse("team-counts", args=[self.whose])


class EveryonesInbox(TeamBox):
    views = {"waiting": "Waiting", "unassigned": "Unassigned", "open": "All", "closed": "Closed"}
    first = "waiting"
    title = name = "Everyone"


class PersonsInbox(TeamBox):
    def __init__(self, request, view, whose):
        super().__init__(request, view, whose)
        self.person = one_in(colleagues_of(request.user, request.environment), whose)
        self.looking = "Your own inbox" if self.person == self.user else f"{self.person.first_name}’s inbox"
        self.title = self.looking
        self.name = f"{self.person}’s inbox"
        self.search = f'assigned:"{self.person}"'
        if self.is_anothers:
            self.notice = f"You are looking into {self.looking}. Nothing is marked as read for {self.person.first_name}."

    @property
    def reader(self):
        return self.person

    @property
    def within(self):
        return self.seen.filter(assignee=self.person)

    def wanted(self):
        return super().wanted() | {"assignee": [str(self.person.pk)]}


class LinesInbox(TeamBox):
    views = {"open": "Open", "unassigned": "Unassigned", "waiting": "Waiting", "closed": "Closed"}

    def __init__(self, request, view, whose):
        super().__init__(request, view, whose)
        pk = whose.removeprefix("line/")
        self.line = next((line for line in self.lines if str(line.pk) == pk), None)
        if self.line is None:
            raise Http404("No line that they may see")
        self.looking = self.title = self.name = str(self.line)
        self.notice = f"This is the inbox of {self.line}."
        if self.is_anothers:
            owner = self.line.owner.first_name
            self.notice = f"You are looking into {self.line}, as {owner} sees it. Nothing is marked as read for {owner}."
        self.search = f'line:"{self.line}"'

    @property
    def reader(self):
        return self.line.owner or self.user

    @property
    def within(self):
        return self.seen.filter(line=self.line)

    def wanted(self):
        return super().wanted() | {"line": [str(self.line.pk)]}


def team_box(request, whose, view=None):
    """The inbox that an address names: `everyone`, `line/` and a line's id, or a person's. Strangers get 404."""
    if request.environment is None:
        raise Http404("Not a member of any environment")
    if whose == EVERYONE:
        return EveryonesInbox(request, view)
    return (LinesInbox if whose.startswith("line/") else PersonsInbox)(request, view, whose)


def lines_for(request):
    lines = Line.objects.visible_to(request.user).filter(environment=request.environment)
    return list(lines.select_related("owner")[:MOST])


@dataclass
class Entry:
    """One inbox in the list of them: how many of its conversations are open, wait for us, and are unread by its owner."""

    whose: str
    path: str
    of: object = None
    open: int = 0
    waiting: int = 0
    unread: int = 0
    is_current: bool = False

    @classmethod
    def to(cls, whose, of=None):
        return cls(whose, reverse("team-owner", args=[whose]), of)


@dataclass
class Team:
    everyone: Entry
    people: list
    lines: list
    unassigned: Entry


def team_of(box):
    """All that the list beside `box` shows, in three queries for any number of people and lines."""
    colleagues = colleagues_of(box.user, box.environment)[:MOST]
    people = {person.pk: Entry.to(str(person.pk), person) for person in colleagues}
    lines = {line.pk: Entry.to(f"line/{line.pk}", line) for line in box.lines}
    everyone = Entry.to(EVERYONE)
    unassigned = Entry(EVERYONE, reverse("team-inbox", args=[EVERYONE, "unassigned"]))
    people_and_nobody = people | {None: unassigned}
    for line, assignee, count, waiting in open_by_line_and_assignee(lines):
        for entry in (everyone, lines[line], people_and_nobody.get(assignee)):
            if entry:
                entry.open += count
                entry.waiting += waiting
    owners = {line.pk: line.owner_id or box.user.pk for line in box.lines}
    for reader, line, assignee, count in unread_by_reader(lines, box.user):
        if reader == assignee and reader in people:
            people[reader].unread += count
        if reader == owners[line]:
            lines[line].unread += count
    here = unassigned if box.whose == EVERYONE and box.view == "unassigned" else everyone
    for entry in (here, *people.values(), *lines.values()):
        entry.is_current = entry.whose == box.whose
    return Team(everyone, list(people.values()), list(lines.values()), unassigned)


def open_by_line_and_assignee(lines):
    """(line, assignee or None, how many are open, how many of them wait)"""
    chats = Chat.objects.open().filter(line__in=list(lines)).order_by()
    waiting = Count("pk", filter=Q(waiting_since__isnull=False))
    return chats.values_list("line", "assignee").annotate(open=Count("pk"), waits=waiting)


def unread_by_reader(lines, user):
    """(reader, line, assignee, how many open conversations): of those assigned to the reader, or on a line of theirs."""
    reads = ChatRead.objects.filter(is_unread=True, chat__status=Chat.Status.OPEN, chat__line__in=list(lines))
    whose = Q(user=F("chat__assignee")) | Q(user=F("chat__line__owner")) | Q(user=user)
    groups = reads.filter(whose).order_by().values_list("user", "chat__line", "chat__assignee")
    return groups.annotate(unread=Count("pk"))
