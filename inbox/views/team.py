"""The inboxes of the team: the list of them, and one of them with its conversations, as its owner sees it."""

from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect

from inbox.team import EVERYONE, team_box
from inbox.views.inbox import conversation_page, counts_page, list_page, rows_page


@login_required
def team(request):
    return list_page(request, lambda: team_box(request, EVERYONE), screen="people")


@login_required
def owner(request, whose):
    return redirect(team_box(request, whose).path)


@login_required
def inbox(request, whose, view):
    return list_page(request, lambda: team_box(request, whose, view))


@login_required
def conversation(request, whose, view, pk):
    return conversation_page(request, lambda: team_box(request, whose, view), pk)


@login_required
def rows(request, whose, view):
    return rows_page(request, team_box(request, whose, view))


@login_required
def counts(request, whose):
    return counts_page(request, team_box(request, whose, request.GET.get("view")))
