"""The handsets: a page on which one is a customer. Only in an environment whose carrier is the sandbox."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST

from lines.gateways.base import PermanentFailure
from lines.models.sandbox import SandboxFaults, SandboxMedia
from lines.sandbox import bubbles, camera, carrier, customers, deeds, personas, phone, rules
from lines.sandbox.forms import DeedForm, FaultsForm, FlagForm, HandsetForm, TextForm

# Of our lines, those that can be flagged here.
MOST_LINES = 50
# What a browser may show in place; all else is only downloaded.
SHOWN = bubbles.IMAGES | bubbles.SOUNDS | bubbles.FILMS


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
    items = phone.items_of(handset, thread)
    told = list(phone.told(environment))
    return {
        "handset": handset,
        "handsets": handsets,
        "threads": threads,
        "thread": thread,
        "items": items,
        "told": told,
        "persona": personas.PERSONAS.get(handset.persona),
        "tapbacks": bubbles.TAPBACKS,
        "stickers": camera.STICKERS,
        "effects": rules.BUBBLE_EFFECTS | rules.SCREEN_EFFECTS,
        "backgrounds": customers.BACKGROUNDS,
        "version": phone.version_of(
            [(one.pk, one.unread, one.in_coverage) for one in handsets],
            (handset.sends_read_receipts, handset.reads_at_once, handset.reported_spam_at),
            [(choice.key, choice.name) for choice in threads],
            thread and thread.seen,
            [item.seen for item in items],
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
        "our_lines": environment.lines.order_by("name", "phone_number")[:MOST_LINES],
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
        return refused(request, handset, reasons_of(form))
    deed = deeds.Deed(handset, thread, form.cleaned_data)
    words, photo = form.cleaned_data["text"], form.cleaned_data["photo"]
    try:
        if photo:
            kind = photo.content_type or "application/octet-stream"
            carrier.photo(handset, deed.chat, photo.name, kind, photo.read(), words=words)
        else:
            effect = form.cleaned_data["effect"]
            effect = rules.effect_named(effect) if effect else None
            original = deed.optional_message
            customers.text(handset, deed.chat, words, effect=effect, original=original, part_index=deed.part)
    except PermanentFailure as failure:
        return refused(request, handset, failure.reason)
    return shown_again(request, handset, thread)


def reasons_of(form):
    return " ".join(error for errors in form.errors.values() for error in errors)


def refused(request, handset, reason):
    if request.htmx:
        context = screen(handset, *thread_for(request, handset)) | {"reason": reason}
        return render(request, "sandbox/_screen.html", context, status=422)
    messages.error(request, reason)
    return render_page(request, handset, status=422)


@login_required
@require_POST
def use(request, pk, verb):
    """Whatever else one does with a phone."""
    handset = handset_for(request, pk)
    _, thread = thread_for(request, handset)
    if verb not in deeds.DEEDS:
        raise Http404("A phone cannot do this")
    form = DeedForm(request.POST, request.FILES)
    if not form.is_valid():
        return refused(request, handset, reasons_of(form))
    deed = deeds.Deed(handset, thread, form.cleaned_data)
    try:
        deeds.DEEDS[verb](deed)
    except PermanentFailure as failure:
        return refused(request, handset, failure.reason)
    if verb in deeds.SILENT:
        return HttpResponse(status=204)
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
def flag(request):
    """Have Apple flag one of our numbers, or take the flag back, to see what follows."""
    form = FlagForm(request.POST, environment=sandbox_of(request))
    if not form.is_valid():
        raise Http404("There is no such line")
    line, is_flagged = form.cleaned_data["line"], form.cleaned_data["is_flagged"]
    carrier.flag(line, is_flagged)
    messages.success(request, f"The carrier tells that {line} is {'flagged' if is_flagged else 'active'}")
    return redirect("sandbox")


@login_required
@require_POST
def new_handset(request):
    environment = sandbox_of(request)
    form = HandsetForm(request.POST, environment=environment)
    if not form.is_valid():
        return render_page(request, phone.phones_of(environment).first(), status=422, handset_form=form)
    return redirect("sandbox_phone", form.save().pk)


def stored_media(pk):
    files = SandboxMedia.objects.filter(environment__carrier="sandbox", deleted_at=None)
    return get_object_or_404(files, pk=pk)


@require_GET
def media(request, pk, filename):
    """A file at the carrier, for whoever knows its address: our side fetches it as it would from a real one."""
    found = stored_media(pk)
    shows = found.mime_type in SHOWN
    response = FileResponse(found.file.open("rb"), as_attachment=not shows, filename=found.filename)
    response["Content-Type"] = found.mime_type
    return kept(response)


@login_required
@require_GET
def shown_photo(request, pk, media):
    """A HEIC photo as browsers show it."""
    handset = handset_for(request, pk)
    found = stored_media(media)
    if found.environment_id != handset.environment_id or found.mime_type not in bubbles.CONVERTED:
        raise Http404("The phone has no such photo")
    try:
        with found.file.open("rb") as file:
            return kept(HttpResponse(camera.as_jpeg(file.read()), content_type="image/jpeg"))
    except ValueError as error:
        raise Http404("That is no photo") from error


def kept(response):
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
