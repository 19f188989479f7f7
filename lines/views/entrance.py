"""Coming in: by a link that was printed, by an invitation, as the first of all."""

from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from lines import people
from lines.forms import JoinForm, SetupForm
from lines.models import Invitation, User

ENTRANCE = require_http_methods(["GET", "HEAD", "POST"])


def enter(request, user):
    """Sign in as allauth does, second factor included."""
    return perform_login(request, Login(user=user, redirect_url="/"))


def gone(request):
    return render(request, "people/gone.html", status=410)


@never_cache
@ENTRANCE
def sign_in(request, token):
    """A page with one button, so that whatever previews a link does not use it up."""
    with transaction.atomic():
        # Two presses of one link wait for each other, and the second finds it used.
        user = people.user_by_sign_in_token(token, User.objects.select_for_update())
        if user is None:
            return redirect("home") if request.user.is_authenticated else gone(request)
        if request.method == "POST":
            return enter(request, user)
    return render(request, "people/sign_in.html", {"person": user})


@never_cache
@ENTRANCE
def setup(request, token):
    if not people.may_set_up(token):
        raise Http404("Somebody is here already")
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if admin := people.set_up(**form.cleaned_data):
            return enter(request, admin)
        raise Http404("Somebody was first")
    return render(request, "people/setup.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@ENTRANCE
def join(request, token):
    """Whoever was invited comes in with the account of that address, a new one if there is none."""
    invitation = Invitation.objects.by_token(token).select_related("environment", "invited_by").first()
    if invitation is None:
        return gone(request)
    context, owner = {"invitation": invitation}, people.owner_of(invitation.email)
    if request.user.is_authenticated:
        return join_as(request, invitation, context | {"state": "own" if request.user == owner else "other"})
    if owner:
        return render(request, "people/join.html", context | {"state": "known"})
    form = JoinForm(request.POST or None, email=invitation.email)
    if request.method == "POST" and form.is_valid():
        user = people.join(invitation, **form.cleaned_data)
        return welcome(request, invitation, enter(request, user)) if user else gone(request)
    context |= {"form": form, "state": "new"}
    return render(request, "people/join.html", context, status=422 if form.errors else 200)


def join_as(request, invitation, context):
    if request.method == "POST" and context["state"] == "own":
        if not invitation.accept(by=request.user):
            return gone(request)
        return welcome(request, invitation, redirect("home"))
    return render(request, "people/join.html", context)


def welcome(request, invitation, response):
    request.session["environment"] = str(invitation.environment_id)
    messages.success(request, _("Welcome to %(name)s") % {"name": invitation.environment})
    return response


@login_required
@require_POST
def choose_environment(request):
    own = {str(membership.environment_id) for membership in request.memberships}
    if request.POST.get("environment") not in own:
        raise Http404("Not a member of it")
    request.session["environment"] = request.POST["environment"]
    return redirect("home")
