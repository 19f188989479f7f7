"""Search: what was typed, what was found, and the conversation in which one of it is open."""

from urllib.parse import unquote, urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from inbox.boxes import badges_of
from inbox.models import Message, Note
from inbox.search.found import among
from inbox.search.hits import groups_of
from inbox.search.meaning import meaning_of
from inbox.search.messages import found_for
from inbox.search.numbers import things_for
from inbox.search.people import people_for
from inbox.search.question import ask, is_id
from inbox.shortcuts import chat_for, chats_for, message_in, render_page
from inbox.thread import conversation_of
from lines.models import Line

# What the menu writes, and what it is for.
HELP = [
    ("from:", "By somebody"),
    ("from:me", "By me"),
    ("has:attachment", "With a file"),
    ("has:photo", "With a photo"),
    ("has:voice", "With a voice memo"),
    ("has:link", "With a link"),
    ("before:", "Before a day"),
    ("after:", "After a day"),
    ("on:", "On a day or in a month"),
    ("is:open", "In open conversations"),
    ("is:snoozed", "In snoozed ones"),
    ("is:closed", "In closed ones"),
    ("is:mine", "In mine"),
    ("is:unassigned", "In those of nobody"),
    ("is:unread", "In those I have not read"),
    ("is:group", "In groups"),
    ("label:", "In those with a label"),
    ("assigned:", "In those of a colleague"),
]


@login_required
def search(request):
    """Everything for `q` (and `with`, the filters that stand beside it); `before` asks for the page behind a hit."""
    if request.environment is None:
        return redirect("/")
    sequence = request.environment.last_sequence
    target = request.htmx.target if request.htmx and not request.htmx.history_restore_request else None
    now = now_of(request)
    question = ask(f"{request.GET.get('with', '')} {request.GET.get('q', '')}", now=now)
    context = {"question": question, "sequence": sequence, "view": "search", "here": here_of(question)}
    context["help"] = HELP
    if target == "conversation":
        context |= opened(request, question, now)
        fragment = "nothing" if context["screen"] == "list" else "conversation"
        return render_page(request, "search/search.html", context, fragment, sequence=sequence)
    context |= found(request, question, now)
    if request.GET.get("before"):
        return render(request, "search/_hits.html", context)
    if target == "results":
        return render(request, "search/search.html#results", context)
    context |= opened(request, question, now) | around_it(request, question)
    return render_page(request, "search/search.html", context, "results", sequence=sequence)


def now_of(request):
    """Now, in the zone that the reader's browser named; else in ours."""
    try:
        return timezone.localtime(timezone=ZoneInfo(unquote(request.COOKIES.get("zone", ""))))
    except (ValueError, OSError):
        return timezone.localtime()


def here_of(question):
    return f"{reverse('search')}?{urlencode({'q': str(question)})}"


def found(request, question, now):
    meaning = meaning_of(question, request, now=now)
    before = request.GET.get("before")
    if before and not is_id(before):
        raise Http404("Not a place among what was found")
    ids, has_more = found_for(question, meaning, before=before and UUID(before))
    groups = groups_of(ids, question.terms, request)
    context = {"meaning": meaning, "groups": groups, "more": ids[-1] if has_more else None}
    if not before:
        things = things_for(question.typed, request) if not question.filters else []
        if things:
            # An id may look like a filter that does not exist.
            meaning.problems = []
        context |= {
            "people": people_for(question, meaning),
            "things": things,
            "chips": chips(question, meaning),
        }
        context |= {"count": sum(len(group.hits) for group in groups), "conversations": len(groups)}
    return context


def chips(question, meaning):
    """Each filter with what it says and the address without it."""
    return [
        {
            "name": filter.name,
            "value": meaning.names.get((filter.name, filter.value), filter.value),
            "typed": str(filter),
            "without": f"{reverse('search')}?{urlencode({'q': question.without(filter)})}",
        }
        for filter in question.filters
    ]


def around_it(request, question):
    """What the page has beside its results."""
    lines = Line.objects.visible_to(request.user).filter(environment=request.environment)
    return {"lines": lines[:12]} | badges_of(chats_for(request), request.user)


def opened(request, question, now):
    """The conversation with what was found in its place (`at`), or at its newest messages (`chat`); or none."""
    chats, found = chats_for(request), None
    if request.GET.get("at"):
        found = hit_in(chats, request.GET["at"])
        chat = chat_for(request, found.chat_id)
    elif is_id(request.GET.get("chat", "")):
        chat = chat_for(request, request.GET["chat"])
    else:
        return {"screen": "list"}
    context = {"screen": "conversation"} | conversation_of(request, chat, found=found)
    return context | among(question, meaning_of(question, request, now=now), chat, found)


def hit_in(chats, pk):
    """The message or note of this id."""
    if is_id(pk) and (note := Note.objects.filter(chat__in=chats, pk=pk).first()):
        return note
    return message_in(Message.objects.filter(chat__in=chats), pk)
