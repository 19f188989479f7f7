from django.contrib import messages as notes
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.dateparse import parse_datetime

from inbox.models import Chat, Message
from lines.models import Line


def render_page(request, template, context, fragment, *, sequence=None):
    """The whole page for a browser, `template#fragment` for htmx. `sequence` is the log's end before the rows."""
    wants_page = not request.htmx or request.htmx.history_restore_request
    response = render(request, template if wants_page else f"{template}#{fragment}", context)
    patch_vary_headers(response, ["HX-Request"])
    return dated(response, sequence)


def dated(response, sequence):
    """With the log's end before the rows were read, so that a page can tell what is newer than this answer."""
    if sequence is not None:
        response["X-Sequence"] = str(sequence)
    return response


def chats_for(request):
    """The one door: the chats that this person may see in the environment they work in."""
    if request.environment is None:
        raise Http404("Not a member of any environment")
    return Chat.objects.visible_to(request.user, request.environment).filter(environment=request.environment)


def chat_for(request, pk):
    return one_in(chats_for(request).select_related("line", "environment", "assignee"), pk)


def one_in(rows, pk):
    """`pk` is what a form or an address says: anything may stand there."""
    try:
        return get_object_or_404(rows, pk=pk)
    except ValidationError as error:
        raise Http404("There is no such thing") from error


def words_in(request, name="q"):
    """What somebody typed to look for; PostgreSQL knows no NUL."""
    return request.GET.get(name, "").replace("\0", "").strip()


def moment_in(text):
    """The moment that an address names, or None: anything may stand there."""
    try:
        return parse_datetime(text)
    except ValueError:
        return None


def message_in(messages, pk):
    return one_in(messages, pk)


def message_for(request, pk):
    if request.environment is None:
        raise Http404("Not a member of any environment")
    found = Message.objects.visible_to(request.user, request.environment)
    return message_in(found.select_related("chat__line", "environment"), pk)


def part_named(request):
    """The index of a part that a form names; one that no message has where that is no number."""
    part = request.POST.get("part", "0")
    return int(part) if part.isascii() and part.isdecimal() and len(part) < 4 else -1


def message_to_delete(request, pk):
    message = message_for(request, pk)
    if not may_delete(request, message.chat):
        raise PermissionDenied("You may not delete what was said on this line.")
    return message


def message_to_answer(request, pk):
    message = message_for(request, pk)
    if not may_answer(request, message.chat):
        raise PermissionDenied("You may read this line, but not answer on it.")
    return message


def bubble(request, message, **more):
    """A message as it is now; `more` (said, undo) is a toast beside it."""
    if not request.htmx:
        return redirect("conversation", "all", message.chat_id)
    sequence = request.environment.last_sequence
    message = Message.objects.for_bubbles().get(pk=message.pk)
    template = "chats/_message_answer.html" if more else "chats/_message.html"
    return dated(render(request, template, {"message": message, **more}), sequence)


def refused(request, refusal, chat):
    """A sentence beside the page, which stays as it is."""
    if not request.htmx:
        notes.error(request, refusal.sentence)
        return redirect("conversation", "all", chat.pk)
    context = {"said": refusal.sentence, "failed": True}
    response = render(request, "chats/_toast.html", context, status=422)
    response["HX-Reswap"] = "none"
    return response


def may_delete(request, chat):
    return Line.objects.deletable_by(request.user).filter(pk=chat.line_id).exists()


def may_answer(request, chat):
    return Line.objects.answerable_by(request.user).filter(pk=chat.line_id).exists()
