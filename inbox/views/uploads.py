"""Files on their way into a message: each is uploaded by itself, and then named by its id."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from inbox import media, memos
from inbox.models import Attachment
from inbox.shortcuts import chat_for, may_answer


@login_required
@require_POST
def upload(request, pk):
    """Keep one `file`, or what stands at the web address `url`; 422 with a sentence where it cannot be sent."""
    chat = chat_for(request, pk)
    if not may_answer(request, chat):
        raise PermissionDenied("You may read this line, but not answer on it.")
    try:
        if url := request.POST.get("url", "").strip():
            attachment = media.keep_from(chat.environment, url, by=request.user)
        elif "voice" in request.POST and "file" in request.FILES:
            with memos.playable(request.FILES["file"]) as memo:
                attachment = Attachment.keep(chat.environment, memo, by=request.user)
        elif file := request.FILES.get("file"):
            attachment = Attachment.keep(chat.environment, file, by=request.user)
        else:
            raise ValidationError("Choose a file, or give a web address.")
    except ValidationError as error:
        return HttpResponse(" ".join(error.messages), status=422, content_type="text/plain; charset=utf-8")
    return JsonResponse(
        {
            "id": str(attachment.pk),
            "name": attachment.filename,
            "size": attachment.size,
            "type": attachment.mime_type,
            "url": attachment.url if attachment.is_image else None,
        }
    )


@login_required
@require_POST
def remove(request, pk):
    """What one has uploaded oneself; what is part of something already stays."""
    mine = Attachment.objects.filter(environment=request.environment, uploaded_by=request.user)
    attachment = get_object_or_404(mine, pk=pk)
    attachment.remove_unused()
    return HttpResponse(status=204)
