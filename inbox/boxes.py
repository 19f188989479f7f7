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

    def __init__(self, request, view):
        if view not in self.views:
            raise Http404(f"There is no view “{view}”")
        self.request, self.view, self.user = request, view, request.user
        self.label = label_in(request)

    @cached_property
    def seen(self):
        """All that the person may see; asked for once, since each time their lines are."""
        return chats_for(self.request)

    @property
    def all(self):
        """What the views choose from."""
        return self.seen.labelled(self.label) if self.label else self.seen

    def chats(self, view=None):
        return self.all.in_view(view or self.view, self.user)

    def page(self):
        """Everything that the list shows, in a constant number of queries."""
        return self.rows(self.chats()) | self.counts()

    def page_behind(self, pk, at):
        """The page behind the row of the chat `pk`, as it stood at `at` (ISO) when it was drawn."""
        before = one_in(self.seen, pk)
        return self.rows(self.chats().older_than(moment_in(at) or before.last_activity_at, before.pk))

    def rows(self, chats):
        rows = list(chats.newest_first().for_rows().with_own(self.user)[: ROWS + 1])
        return {"box": self, "rows": rows[:ROWS], "last": rows[ROWS - 1] if len(rows) > ROWS else None}

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
    def wants(self):
        """For chat-list.js, as JSON: by name, the values of a row's data of which one has to fit."""
        wants = self.wanted() | ({"labels": [str(self.label.pk)]} if self.label else {})
        return json.dumps(wants)


class MyInbox(Box):
    views = {"mine": "Mine", "unassigned": "Unassigned", "all": "All", "closed": "Closed"}
    titles = {"mine": "My inbox", "unassigned": "Unassigned", "all": "All open", "closed": "Closed"}
    name = "Inbox"

    @property
    def title(self):
        return self.titles[self.view]

    def path_of(self, view):
        return reverse("inbox", args=[view])

    @property
    def counts_path(self):
        label = {"label": self.label.pk} if self.label else {}
        return f"{reverse('counts')}?{urlencode({'view': self.view} | label)}"

    def wanted(self):
        """As in_view says it."""
        of_view = {"mine": [str(self.user.pk)], "unassigned": [""]}
        assignee = {"assignee": of_view[self.view]} if self.view in of_view else {}
        return {"status": ["closed" if self.view == "closed" else "open"]} | assignee


def label_in(request):
    """The label that the address names, or None."""
    named = request.GET.get("label")
    if not named or request.environment is None:
        return None
    return one_in(Label.objects.filter(environment=request.environment), named)


def badges_of(chats, user):
    """What the toolbar says on every page of conversations, of all that `user` may see."""
    return {"unread_count": up_to(chats.unread_by(user))}


def up_to(chats):
    count = chats.values("pk")[:COUNT_TO].count()
    return f"{COUNT_TO - 1}+" if count == COUNT_TO else str(count)
