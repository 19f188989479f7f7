"""The contact card of a line."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from inbox.views.lines.finding import line_to_change
from inbox.views.lines.forms import CardForm
from inbox.views.lines.page import page
from lines.models import ContactCard


@login_required
@require_POST
def change_card(request, pk):
    line = line_to_change(request, pk)
    form = CardForm(request.POST, request.FILES, card=ContactCard.of(line))
    try:
        if form.is_valid() and form.save(by=request.user):
            messages.success(request, f"The contact card of {line} is saved")
    except ValidationError as error:
        form.add_error(None, error)
    if form.errors:
        return page(request, line, card_form=form, status=422)
    return redirect("line", line.pk)


@login_required
@require_POST
def put_card_again(request, pk):
    line = line_to_change(request, pk)
    card = get_object_or_404(ContactCard.objects.select_related("line__environment"), line=line)
    card.try_again(by=request.user)
    return redirect("line", line.pk)
