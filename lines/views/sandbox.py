"""The handsets: a page on which one is a customer. Only in an environment whose carrier is the sandbox."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST

from lines.models.sandbox import Handset, SandboxFaults, SandboxMedia
from lines.sandbox import carrier, personas, phone
from lines.sandbox.forms import FaultsForm, HandsetForm, TextForm


def sandbox_of(request):
    """The one door: the environment that the person works in, if it is a sandbox."""
    if request.environment is None or not request.environment.is_sandbox:
        raise Http404("There is no sandbox here")
    return request.environment


def handset_for(request, pk):
    handsets = phone.phones_of(sandbox_of(request)).select_related("environment")
    return get_object_or_404(handsets, pk=pk)


def thread_for(request, handset):
    """The thread that the request names, or the one with the last word."""
    threads = phone.threads_of(handset)
    key = request.POST.get("thread") or request.GET.get("thread")
    thread = phone.chosen_among(threads, key)
    if thread is None and key:
        raise Http404("The phone has no such thread")
    return threads, thread


def screen(handset, threads, thread):
    """What the phone and the lists beside it show, and the `version` of all that."""
    environment = handset.environment
    handsets = list(phone.phones_of(environment))
    bubbles = phone.bubbles_of(handset, thread and thread.chat)
    told = list(phone.told(environment))
    return {
        "handset": handset,
        "handsets": handsets,
        "threads": threads,
        "thread": thread,
        "bubbles": bubbles,
        "told": told,
        "persona": personas.PERSONAS.get(handset.persona),
        "version": phone.version_of(
            [(one.pk, one.unread, one.in_coverage) for one in handsets],
            (
                thread and thread.key,
                handset.sends_read_receipts,
                handset.reads_at_once,
                handset.reported_spam_at,
            ),
            [(bubble.message.pk, bubble.place, bubble.state) for bubble in bubbles],
            [(webhook.pk, webhook.outcome, webhook.delivered_at) for webhook in told],
        ),
    }


def render_page(request, handset, *, status=200, **forms):
    environment = sandbox_of(request)
    threads, thread = thread_for(request, handset) if handset else ([], None)
    faults = SandboxFaults.objects.filter(environment=environment).first() or SandboxFaults()
    context = screen(handset, threads, thread) if handset else {}
    context |= {
        "faults": faults,
        "faults_form": forms.get("faults_form") or FaultsForm(instance=faults),
        "handset_form": forms.get("handset_form") or HandsetForm(environment=environment),
    }
    return render(request, "sandbox/phone.html", context, status=status)


@login_required
@require_GET
def phones(request):
    return render_page(request, phone.phones_of(sandbox_of(request)).select_related("environment").first())


@login_required
@require_GET
def one_phone(request, pk):
    return render_page(request, handset_for(request, pk))


@login_required
@require_GET
def thread(request, pk):
    """The screen alone; 204 where the page that asks shows this version already."""
    handset = handset_for(request, pk)
    context = screen(handset, *thread_for(request, handset))
    if request.GET.get("version") == context["version"]:
        return HttpResponse(status=204)
    return render(request, "sandbox/_screen.html", context)


def shown_again(request, handset, thread):
    """After a verb: the new screen for htmx, the page for a browser."""
    if not request.htmx:
        url = reverse("sandbox_phone", args=[handset.pk])
        return redirect(f"{url}?thread={thread.key}".replace("+", "%2B") if thread else url)
    handset.refresh_from_db()
    response = render(request, "sandbox/_screen.html", screen(handset, *thread_for(request, handset)))
    patch_vary_headers(response, ["HX-Request"])
    return response


@login_required
@require_POST
def send(request, pk):
    handset = handset_for(request, pk)
    _, thread = thread_for(request, handset)
    if thread is None:
        raise Http404("There is no line to write to")
    form = TextForm(request.POST, request.FILES)
    if not form.is_valid():
        return refused(
            request, handset, " ".join(error for errors in form.errors.values() for error in errors)
        )
    chat = thread.chat or carrier.chat_with(handset, thread.line_number)
    words, photo = form.cleaned_data["text"], form.cleaned_data["photo"]
    try:
        if photo:
            kind = photo.content_type or "application/octet-stream"
            carrier.photo(handset, chat, photo.name, kind, photo.read(), words=words)
        else:
            carrier.text(handset, chat, words)
    except carrier.NoCoverage as error:
        return refused(request, handset, str(error))
    return shown_again(request, handset, thread)


def refused(request, handset, reason):
    if request.htmx:
        context = screen(handset, *thread_for(request, handset)) | {"reason": reason}
        return render(request, "sandbox/_screen.html", context, status=422)
    messages.error(request, reason)
    return render_page(request, handset, status=422)


def flip(handset, name):
    Handset.objects.filter(pk=handset.pk).update(**{name: not getattr(handset, name)})


def turn_coverage(handset, chat):
    (carrier.leave_coverage if handset.in_coverage else carrier.enter_coverage)(handset)


VERBS = {
    "read": lambda handset, chat: chat and carrier.read(handset, chat),
    "coverage": turn_coverage,
    "receipts": lambda handset, chat: flip(handset, "sends_read_receipts"),
    "reading": lambda handset, chat: flip(handset, "reads_at_once"),
    "spam": lambda handset, chat: carrier.report_spam(handset),
    "nudge": lambda handset, chat: chat and carrier.nudge(handset, chat),
}


@login_required
@require_POST
def use(request, pk, verb):
    """Whatever else one does with a phone."""
    handset = handset_for(request, pk)
    _, thread = thread_for(request, handset)
    if verb not in VERBS:
        raise Http404("A phone cannot do this")
    try:
        VERBS[verb](handset, thread and thread.chat)
    except carrier.NoCoverage as error:
        return refused(request, handset, str(error))
    return shown_again(request, handset, thread)


@login_required
@require_POST
def faults(request):
    environment = sandbox_of(request)
    switches, _ = SandboxFaults.objects.get_or_create(environment=environment)
    form = FaultsForm(request.POST, instance=switches)
    if not form.is_valid():
        return render_page(request, phone.phones_of(environment).first(), status=422, faults_form=form)
    form.save()
    messages.success(request, f"Faults: {switches.summary}")
    return redirect("sandbox")


@login_required
@require_POST
def new_handset(request):
    environment = sandbox_of(request)
    form = HandsetForm(request.POST, environment=environment)
    if not form.is_valid():
        return render_page(request, phone.phones_of(environment).first(), status=422, handset_form=form)
    return redirect("sandbox_phone", form.save().pk)


@require_GET
def media(request, pk, filename):
    """A file at the carrier, for whoever knows its address: our side fetches it as it would from a real one."""
    files = SandboxMedia.objects.filter(environment__carrier="sandbox", deleted_at=None)
    found = get_object_or_404(files, pk=pk)
    shows = found.mime_type in phone.IMAGES
    response = FileResponse(found.file.open("rb"), as_attachment=not shows, filename=found.filename)
    response["Content-Type"] = found.mime_type
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
