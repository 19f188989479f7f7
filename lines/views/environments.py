"""Settings → environments: which there are; admins make, rename, colour, lock and delete them."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from lines.models import Environment
from lines.models.keeping import NotAllowed
from lines.models.line import WIRES
from lines.shortcuts import admin_of

NO_NAME = {"required": "An environment needs a name."}
COLOURS = [(wire, wire.title()) for wire in WIRES]
CARRIERS = [
    ("sandbox", "Simulated phones, to try everything in; nobody real is written to"),
    ("linq", "Real numbers, of a Linq account"),
]


class NewEnvironmentForm(forms.Form):
    name = forms.CharField(max_length=80, error_messages=NO_NAME)
    carrier = forms.ChoiceField(
        choices=Environment.Carrier.choices,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose where its messages go."),
    )
    colour = forms.ChoiceField(
        choices=COLOURS, error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose a colour.")
    )


class PaintForm(forms.Form):
    colour = forms.ChoiceField(choices=COLOURS)


class TypedForm(forms.Form):
    """What cannot happen by a slip of the hand: the name of the environment is typed."""

    typed = forms.CharField(max_length=80, required=False)

    def __init__(self, *args, environment, **kwargs):
        super().__init__(*args, **kwargs)
        self.environment = environment

    @property
    def is_locked(self):
        return True

    def clean_typed(self):
        if self.is_locked and self.cleaned_data["typed"] != self.environment.name:
            raise forms.ValidationError(f"Type {self.environment} as it is written, to say that you mean it.")


class RenameForm(TypedForm):
    name = forms.CharField(max_length=80, error_messages=NO_NAME)

    @property
    def is_locked(self):
        return self.environment.is_production


class KindForm(TypedForm):
    kind = forms.ChoiceField(choices=[("production", "Production"), ("test", "Test")])


@login_required
def environments(request):
    return page(request)


@login_required
@require_POST
def make(request):
    working_in = admin_of(request)
    form = NewEnvironmentForm(request.POST)
    if not form.is_valid():
        return page(request, "#make", form=form, status=422)
    made = Environment.make(by=request.user, working_in=working_in, **form.cleaned_data)
    messages.success(request, f"{made} is made, and you are its admin")
    where = "environments"
    if not made.is_sandbox:
        # The next thing is its account.
        request.session["environment"], where = str(made.pk), "account"
    # The whole page again, for the form stands in a dialog.
    return HttpResponseClientRedirect(reverse(where)) if request.htmx else redirect(where)


@login_required
@require_POST
def rename(request, pk):
    environment = environment_for(request, pk)
    form = RenameForm(request.POST, environment=environment)
    if not form.is_valid():
        return refuse(request, first_of(form))
    environment.rename(form.cleaned_data["name"], by=request.user)
    return redirect("environments")


@login_required
@require_POST
def paint(request, pk):
    environment = environment_for(request, pk)
    form = PaintForm(request.POST)
    if not form.is_valid():
        return refuse(request, "There is no such colour.")
    environment.paint(form.cleaned_data["colour"], by=request.user)
    return redirect("environments")


@login_required
@require_POST
def kind(request, pk):
    """Lock it as production, or make it a place for tests again."""
    environment = environment_for(request, pk)
    form = KindForm(request.POST, environment=environment)
    if not form.is_valid():
        return refuse(request, first_of(form))
    change = (
        environment.make_production if form.cleaned_data["kind"] == "production" else environment.make_test
    )
    try:
        change(by=request.user)
    except NotAllowed as error:
        return refuse(request, str(error))
    environment.refresh_from_db()
    messages.success(
        request, f"{environment} is {'production' if environment.is_production else 'for tests'} now"
    )
    return redirect("environments")


@login_required
@require_POST
def delete(request, pk):
    environment = environment_for(request, pk)
    form = TypedForm(request.POST, environment=environment)
    if not form.is_valid():
        return refuse(request, first_of(form))
    try:
        environment.delete_empty(by=request.user, working_in=request.environment)
    except NotAllowed as error:
        return refuse(request, str(error))
    messages.success(request, f"{environment} is deleted")
    return redirect("environments")


def environment_for(request, pk):
    """One that the person administers, wherever they work now as an admin."""
    admin_of(request)
    return get_object_or_404(Environment.objects.administered_by(request.user), pk=pk)


def first_of(form):
    return next(iter(form.errors.values()))[0]


def refuse(request, reason):
    """The page as it still is, and why nothing was changed."""
    messages.error(request, reason)
    return page(request, status=422)


def page(request, fragment="", *, form=None, status=200):
    admin_of(request)
    own = {membership.environment_id: membership for membership in request.memberships}
    rows = list(
        Environment.objects.filter(pk__in=own).annotate(numbers=Count("lines")).order_by("created_at")
    )
    for row in rows:
        row.own = own[row.pk]
    context = {
        "rows": rows,
        "form": form or NewEnvironmentForm(initial={"carrier": "sandbox", "colour": "honey"}),
        "colours": COLOURS,
        "carriers": CARRIERS,
    }
    template = "environments/environments.html" + (fragment if request.htmx else "")
    return render(request, template, context, status=status)
