"""An inbox in one of its views: which conversations its list shows, in which order, and where its pages are."""

import json
from functools import cached_property
from urllib.parse import urlencode

from django.http import Http404
from django.urls import reverse

from inbox.models import Label
from inbox.models.label import MOST_LABELS
from inbox.shortcuts import chats_for, moment_in, one_in

ROWS = 40
COUNT_TO = 1000


class Box:
    """What the pages of any inbox ask of it. `views` are its tabs: name by slug."""

    views = {}
    # What the list says where a view is empty.
    nothing = {
        "unassigned": "Nobody is waiting for a colleague.",
        "waiting": "No one is waiting.",
        "snoozed": "Nothing is put off.",
        "closed": "Nothing has been closed yet.",
    }
    is_team = False
    # Where this is the inbox of somebody else, or of a line: whose, in words. See inbox/team.py.
    looking = None

    def __init__(self, request, view):
        if view not in self.views:
            raise Http404(f"There is no view “{view}”")
        self.request, self.view, self.user = request, view, request.user
        self.label = label_in(request)

    @property
    def reader(self):
        """Whose marks of unread its rows have."""
        return self.user

    @cached_property
    def seen(self):
        """All that the person may see; asked for once, since each time their lines are."""
        return chats_for(self.request)

    @property
    def within(self):
        """All of what it shows, in whichever view."""
        return self.seen

    @property
    def all(self):
        """What the views choose from."""
        return self.within.labelled(self.label) if self.label else self.within

    def chats(self, view=None):
        return self.all.in_view(view or self.view, self.user)

    @property
    def is_by_waiting(self):
        """Who waits longest stands first; else what moved last."""
        return self.view == "waiting"

    def page(self):
        """Everything that the list shows, in a constant number of queries."""
        return self.rows(self.chats()) | self.counts()

    def page_behind(self, pk, at):
        """The page behind the row of the chat `pk`, as it stood at `at` (ISO) when it was drawn."""
        before = one_in(self.seen, pk)
        at = moment_in(at) or self.place_of(before)
        if at is None:
            raise Http404("Nobody waits there any more")
        chats = self.chats()
        behind = chats.waiting_after if self.is_by_waiting else chats.older_than
        return self.rows(behind(at, before.pk))

    def rows(self, chats):
        chats = chats.longest_waiting_first() if self.is_by_waiting else chats.newest_first()
        rows = list(chats.for_rows().with_own(self.user, reader=self.reader)[: ROWS + 1])
        last = rows[ROWS - 1] if len(rows) > ROWS else None
        return {"box": self, "rows": rows[:ROWS], "last": last, "last_at": last and self.place_of(last)}

    def place_of(self, chat):
        """The moment by which it has its place in the list."""
        return chat.waiting_since if self.is_by_waiting else chat.last_activity_at

    def counts(self):
        """How many wait in each view; everything is counted to a thousand at most.

        The views are counted in the list's order, along its index: else the whole table may be read for them.
        """
        tabs = [
            {
                "view": view,
                "name": name,
                "href": self.path_of(view) + self.query,
                "count": None if view == "closed" else up_to(self.chats(view).newest_first()),
            }
            for view, name in self.views.items()
        ]
        return {"box": self, "tabs": tabs, "view": self.view} | badges_of(self.seen, self.user)

    @property
    def labels(self):
        """What it can be narrowed to."""
        return list(Label.objects.filter(environment=self.request.environment).by_name()[:MOST_LABELS])

    @property
    def path(self):
        return self.path_of(self.view)

    @property
    def query(self):
        """What its addresses end with."""
        return f"?{urlencode({'label': self.label.pk})}" if self.label else ""

    @property
    def counts_path(self):
        label = {"label": self.label.pk} if self.label else {}
        return f"{self.counts_base}?{urlencode({'view': self.view} | label)}"

    @property
    def empty(self):
        return self.nothing.get(self.view, "No conversation is open.")

    @property
    def wants(self):
        """For chat-list.js, as JSON: by name, the values of a row's data of which one has to fit."""
        wants = {"status": [self.view if self.view in ("snoozed", "closed") else "open"]} | self.wanted()
        return json.dumps(wants | ({"labels": [str(self.label.pk)]} if self.label else {}))

    def wanted(self):
        """What more than the status has to fit, as `chats` says it."""
        return {"assignee": [""]} if self.view == "unassigned" else {}


class MyInbox(Box):
    views = {
        "mine": "Mine",
        "unassigned": "Unassigned",
        "all": "All",
        "snoozed": "Snoozed",
        "closed": "Closed",
    }
    titles = {
        "mine": "My inbox",
        "unassigned": "Unassigned",
        "all": "All open",
        "snoozed": "Snoozed",
        "closed": "Closed",
    }
    nothing = Box.nothing | {"mine": "Nothing here is yours to answer."}
    name = "Inbox"

    @property
    def title(self):
        return self.titles[self.view]

    def path_of(self, view):
        return reverse("inbox", args=[view])

    @property
    def counts_base(self):
        return reverse("counts")

    def wanted(self):
        return {"assignee": [str(self.user.pk)]} if self.view == "mine" else super().wanted()


def label_in(request):
    """The label that the address names, or None."""
    named = request.GET.get("label")
    if not named or request.environment is None:
        return None
    return one_in(Label.objects.filter(environment=request.environment), named)


def badges_of(chats, user):
    """What the toolbar says on every page of conversations, of all that `user` may see."""
    return {
        "unread_count": up_to(chats.unread_by(user)),
        "waiting_count": up_to(chats.waiting().longest_waiting_first()),
    }


def up_to(chats):
    count = chats.values("pk")[:COUNT_TO].count()
    return f"{COUNT_TO - 1}+" if count == COUNT_TO else str(count)
