from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers

from inbox.models import Chat
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
    return get_object_or_404(chats_for(request).select_related("line", "environment", "assignee"), pk=pk)


def message_in(messages, pk):
    """`pk` is what an address says: anything may stand there."""
    try:
        return get_object_or_404(messages, pk=pk)
    except ValidationError as error:
        raise Http404("No such message") from error


def may_answer(request, chat):
    return Line.objects.answerable_by(request.user).filter(pk=chat.line_id).exists()
