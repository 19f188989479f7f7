"""What to do about a flagged line, step by step, and the moving of its conversations."""

from datetime import timedelta

from django import forms
from django.conf import settings
from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from inbox.line_figures import waiting_on
from inbox.models import Chat, Message, ScheduledSend
from inbox.models.content import TEXT_LENGTH
from inbox.models.moving import words_for
from inbox.models.saved_reply import PLACEHOLDER, PLACEHOLDERS
from inbox.moving import SHOWN, moves_from, targets_for
from inbox.views.lines.finding import line_for, line_to_change
from lines.models import Line, LineAlert

# First messages leave so far apart.
PACE = timedelta(minutes=1)
# Of what waits so many are listed.
LISTED = 20


class MoveForm(forms.Form):
    """`chat` are the ids of those to move, `to` is where all of them go; without it each goes where it was suggested."""

    chat = forms.TypedMultipleChoiceField(error_messages={"required": "Choose at least one conversation."})
    words = forms.CharField(
        max_length=TEXT_LENGTH,
        error_messages={"required": "Say who writes to them from a number they do not know."},
    )
    to = forms.ModelChoiceField(
        Line.objects.none(),
        required=False,
        error_messages={"invalid_choice": "Choose a line that can send now."},
    )
    takes_waiting = forms.BooleanField(required=False)

    def __init__(self, *args, moves, targets, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = Line.objects.filter(pk__in=[line.pk for line in targets])
        self.moves = {str(move.chat.pk): move for move in moves if move.line}
        self.fields["chat"].choices = [(pk, pk) for pk in self.moves]

    def clean_words(self):
        words = self.cleaned_data["words"]
        if wrong := [name for name in PLACEHOLDER.findall(words) if name not in PLACEHOLDERS]:
            raise ValidationError(f"Nothing is filled in for {{{wrong[0]}}}.")
        return words

    @property
    def chosen(self):
        """(conversation, the line where it goes on)"""
        moves = [self.moves[pk] for pk in self.cleaned_data["chat"]]
        return [(move.chat, self.cleaned_data["to"] or move.line) for move in moves]


@login_required
def drill(request, pk):
    line = line_for(request, pk)
    if line.status != Line.Status.FLAGGED:
        return redirect("line", line.pk)
    return page(request, line)


def page(request, line, *, form=None, status=200):
    alert = LineAlert.objects.open().filter(line=line, kind=LineAlert.Kind.FLAGGED).first()
    targets = targets_for(request.user, line)
    moves, more = moves_from(line, targets)
    held, scheduled = waiting_on(line)
    waiting = Chat.objects.open().filter(line=line, waiting_since__isnull=False).count()
    steps = {
        "stopped": True,
        "told": not settings.EMAIL_HOST or bool(alert and alert.mailed_at),
        "waits": not (held or scheduled or waiting),
        "moved": not any(move.is_advised for move in moves),
        "asked": bool(alert and alert.appealed_at),
    }
    chosen = form.data.getlist("chat") if form else [str(m.chat.pk) for m in moves if m.is_advised]
    words = form.data.get("words", "") if form else words_from(request, line)
    to = form.data.get("to", "") if form else ""
    context = {
        "line": line,
        "alert": alert,
        "steps": {name: "done" if is_done else "" for name, is_done in steps.items()},
        "current": next((name for name, is_done in steps.items() if not is_done), None),
        "has_mail": bool(settings.EMAIL_HOST),
        "done": sum(steps.values()),
        "held": held,
        "scheduled": scheduled,
        "waiting": waiting,
        "held_messages": held_on(line)[:LISTED],
        "scheduled_sends": scheduled_on(line)[:LISTED],
        "waiting_chats": [move.chat for move in moves if move.chat.waiting_since][:LISTED],
        "moves": moves,
        "more": more,
        "shown": SHOWN,
        "targets": targets,
        "chosen": chosen,
        "form": form,
        "words": words,
        "to": to,
        "preview": preview_of(request.user, moves, targets, chosen, words, to),
        "takes_waiting": form.data.get("takes_waiting") if form else True,
        "may_move": may_answer(request, line),
        "may_change": request.membership.is_admin,
    }
    return render(request, "lines/drill.html", context, status=status)


def held_on(line):
    held = Message.held().filter(line=line).order_by("at").select_related("chat", "author")
    return held.prefetch_related("parts__attachment", "chat__participants__handle__contact")


def scheduled_on(line):
    waiting = ScheduledSend.objects.filter(chat__line=line, state=ScheduledSend.State.WAITING)
    waiting = waiting.order_by("send_at").select_related("chat", "author")
    return waiting.prefetch_related("chat__participants__handle__contact")


def words_from(request, line):
    return (
        f"Hi {{first_name}}, {request.user.first_name} from {line.environment} here. "
        f"We write from another number for now; this conversation goes on here."
    )


def preview_of(user, moves, targets, chosen, words, to):
    """The first message, as the first of those who are ticked gets it; None where nobody is."""
    move = next((move for move in moves if move.line and str(move.chat.pk) in chosen), None)
    if move is None or not words.strip():
        return None
    line = next((line for line in targets if str(line.pk) == to), move.line)
    return {"chat": move.chat, "line": line, "text": words_for(move.chat, words, user, line)}


def may_answer(request, line):
    return Line.objects.answerable_by(request.user).filter(pk=line.pk).exists()


def to_move(request, pk):
    """(line, the lines where its conversations may go on, Moves), for who answers on it."""
    line = line_for(request, pk)
    if not may_answer(request, line):
        raise Http404("Nobody who answers on this line")
    targets = targets_for(request.user, line)
    return line, targets, moves_from(line, targets)[0]


@login_required
@require_POST
def first_words(request, pk):
    """What is being written, as one of those who are ticked will read it. Nothing is sent."""
    _, targets, moves = to_move(request, pk)
    said = request.POST
    words = said.get("words", "")[:TEXT_LENGTH]
    preview = preview_of(request.user, moves, targets, said.getlist("chat"), words, said.get("to", ""))
    return render(request, "lines/_first_words.html", {"preview": preview})


@login_required
@require_POST
def move(request, pk):
    """Move the conversations that were chosen, each where the page said; what cannot be moved is named, and stays."""
    line, targets, moves = to_move(request, pk)
    form = MoveForm(request.POST, moves=moves, targets=targets)
    if not form.is_valid():
        return page(request, line, form=form, status=422)
    leaves_at, moved, problems = {}, 0, []
    for chat, other in form.chosen:
        at = leaves_at.get(other.pk)
        try:
            went = chat.move_to(
                other,
                words=form.cleaned_data["words"],
                by=request.user,
                takes_waiting=form.cleaned_data["takes_waiting"],
                not_before=at,
            )
        except ValidationError as error:
            problems += error.messages
            continue
        if went:
            moved += 1
            leaves_at[other.pk] = (at or timezone.now()) + PACE
    if problems:
        notes.error(request, " ".join(problems[:3]))
    if moved or not problems:
        notes.success(request, f"{moved} conversation{'' if moved == 1 else 's'} moved")
    return redirect("flag-drill", line.pk)


@login_required
@require_POST
def appeal(request, pk):
    """Somebody has asked the carrier to lift the flag, outside of Partyline: V3 has no endpoint for it."""
    line = line_to_change(request, pk)
    alert = get_object_or_404(LineAlert.objects.open(), line=line, kind=LineAlert.Kind.FLAGGED)
    alert.appeal(by=request.user)
    return redirect("flag-drill", line.pk)


@login_required
@require_POST
def gone(request, pk):
    line = line_to_change(request, pk)
    if line.unflag(by=request.user):
        notes.success(request, f"{line} sends again; what waited leaves now")
    return redirect("line", line.pk)
