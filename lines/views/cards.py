"""A line's contact card as files, for whoever may see the line."""

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.crypto import constant_time_compare
from django.utils.http import content_disposition_header

from lines import lending, vcard
from lines.models import ContactCard, Line


@login_required
def contact_file(request, pk):
    line = line_for(request, pk)
    response = HttpResponse(vcard.vcard_for(line), content_type=f"{vcard.MIME_TYPE}; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, vcard.filename_of(line))
    response["Cache-Control"] = "private, no-cache"
    return response


def lent_contact_file(request, ticket):
    """For whoever was given the address of it, until that expires."""
    line, backups = lending.borrowed(ticket)
    if line is None:
        raise Http404("The address is of no contact file, or has expired")
    response = HttpResponse(
        vcard.vcard_for(line, backups=backups), content_type=f"{vcard.MIME_TYPE}; charset=utf-8"
    )
    response["Content-Disposition"] = content_disposition_header(True, vcard.filename_of(line))
    response["Cache-Control"] = "private, no-cache"
    return response


@login_required
def picture(request, pk):
    return picture_of(get_object_or_404(ContactCard.objects.exclude(image=""), line=line_for(request, pk)))


def lent_picture(request, pk, signature):
    """For whoever was told the address of it."""
    card = get_object_or_404(ContactCard.objects.exclude(image=""), pk=pk)
    if not constant_time_compare(signature, card.picture_signature):
        raise Http404("The card has another picture")
    return picture_of(card)


def picture_of(card):
    """We have made the file ourselves, so it is what it says."""
    try:
        file = card.image.open("rb")
    except FileNotFoundError as error:
        raise Http404("The picture is not in our storage") from error
    response = FileResponse(file, content_type="image/jpeg")
    response["Cache-Control"] = "private, no-cache"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def line_for(request, pk):
    if request.environment is None:
        raise Http404("Not a member of any environment")
    return get_object_or_404(
        Line.objects.visible_to(request.user).filter(environment=request.environment), pk=pk
    )
