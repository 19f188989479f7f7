"""Settings → people: who belongs to the environment, who is invited, and whom each line lets in."""

from smtplib import SMTPException

from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.mail import send_mail
from django.db.models import Prefetch
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from lines.models import Invitation, Line, LineAccess, User
from lines.models.people import LastAdmin, Role
from lines.shortcuts import admin_of


class InviteForm(forms.Form):
    email = forms.EmailField(label="E-mail", max_length=254)
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.AGENT)
    lines = forms.ModelMultipleChoiceField(
        Line.objects.none(), label="Lines", required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args, environment, **kwargs):
        super().__init__(*args, **kwargs)
        self.environment = environment
        self.fields["lines"].queryset = environment.lines.all()

    def clean_email(self):
        email = self.cleaned_data["email"].lower()
        if self.environment.memberships.filter(user__email=email).exists():
            raise forms.ValidationError("They belong to this environment already.")
        return email


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


class AccessForm(forms.Form):
    """Whom a line lets in: one of the people of its environment."""

    user = forms.ModelChoiceField(None)
    may_answer = forms.TypedChoiceField(
        choices=[("yes", "Answers"), ("no", "Only reads")],
        coerce=lambda value: value != "no",
        empty_value=True,
        required=False,
    )
    # Left as it is where it is not said.
    may_delete = forms.TypedChoiceField(
        choices=[("yes", "Deletes"), ("no", "Deletes nothing")],
        coerce=lambda value: value != "no",
        empty_value=None,
        required=False,
    )

    def __init__(self, *args, environment, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = User.objects.filter(memberships__environment=environment)


@login_required
def people(request):
    environment = admin_of(request)
    context = page_of(environment) | {"form": InviteForm(environment=environment)}
    return render(request, "people/people.html", context)


@login_required
@require_POST
def invite(request):
    """Answers with the link, this once: only its hash is kept."""
    environment = admin_of(request)
    form = InviteForm(request.POST, environment=environment)
    if not form.is_valid():
        context = page_of(environment) | {"form": form}
        return render(request, template_for(request), context, status=422)
    email, role, lines = (form.cleaned_data[name] for name in ("email", "role", "lines"))
    invitation, token = Invitation.invite(environment, email, role=role, lines=lines, by=request.user)
    link = settings.PUBLIC_URL + reverse("join", args=[token])
    context = page_of(environment) | {"invitation": invitation, "link": link}
    return render(request, template_for(request), context | {"mailed": mail(invitation, link)})


def template_for(request):
    return "people/people.html" + ("#invite" if request.htmx else "")


def mail(invitation, link):
    """True when the invitation has left by e-mail; otherwise the link has to be handed over."""
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        return False
    text = render_to_string("people/invitation.txt", {"invitation": invitation, "link": link})
    try:
        send_mail(f"Join {invitation.environment} on Partyline", text, None, [invitation.email])
    except (SMTPException, OSError):
        return False
    return True


@login_required
@require_POST
def withdraw(request, pk):
    invitation = get_object_or_404(admin_of(request).invitations, pk=pk)
    invitation.withdraw(by=request.user)
    messages.success(request, f"The link of {invitation.email} no longer works")
    return redirect("people")


@login_required
@require_POST
def role(request, user):
    membership = membership_for(request, user)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return refuse(request, "There is no such role.")
    try:
        membership.become(form.cleaned_data["role"], by=request.user)
    except LastAdmin as error:
        return refuse(request, str(error))
    messages.success(request, f"{membership.user} is {membership.get_role_display()} now")
    return back(request, membership)


@login_required
@require_POST
def remove(request, user):
    membership = membership_for(request, user)
    try:
        membership.end(by=request.user)
    except LastAdmin as error:
        return refuse(request, str(error))
    messages.success(request, f"{membership.user} has left {membership.environment}")
    return back(request, membership)


@login_required
@require_POST
def let_in(request, line):
    """Let somebody in, or change whether they may answer and delete."""
    line = get_object_or_404(admin_of(request).lines, pk=line)
    form = AccessForm(request.POST, environment=line.environment)
    if not form.is_valid():
        return refuse(request, "Choose one of the people here.")
    rights = dict(form.cleaned_data)
    user = rights.pop("user")
    line.let_in(user, by=request.user, **rights)
    messages.success(request, line.access.get(user=user).sentence)
    return redirect("people")


@login_required
@require_POST
def shut_out(request, line):
    line = get_object_or_404(admin_of(request).lines, pk=line)
    form = AccessForm(request.POST, environment=line.environment)
    if not form.is_valid():
        return refuse(request, "Choose one of the people here.")
    line.shut_out(form.cleaned_data["user"], by=request.user)
    messages.success(request, f"{form.cleaned_data['user']} no longer sees {line}")
    return redirect("people")


def membership_for(request, user):
    memberships = admin_of(request).memberships.select_related("user", "environment")
    return get_object_or_404(memberships, user=user)


def refuse(request, reason):
    """The page as it still is, and why nothing was changed."""
    environment = admin_of(request)
    messages.error(request, reason)
    context = page_of(environment) | {"form": InviteForm(environment=environment)}
    return render(request, "people/people.html", context, status=422)


def back(request, membership):
    """To the page; somebody who has just given up being its admin goes to the inbox instead."""
    own = membership.environment.memberships.filter(user=request.user).first()
    if own and own.is_admin:
        return redirect("people")
    return HttpResponseClientRedirect("/") if request.htmx else redirect("home")


def page_of(environment):
    access = LineAccess.objects.filter(line__environment=environment).select_related("line")
    members = environment.memberships.select_related("user").prefetch_related(
        Prefetch("user__line_access", access.order_by("line__name"), to_attr="lines_here"),
        "user__authenticator_set",
    )
    members = list(members.order_by("user__name", "user__email"))
    for member in members:
        member.keys = keys_of(member.user)
    lines = list(environment.lines.prefetch_related("access"))
    for line in lines:
        line.rows, line.others = rows_of(line, members)
    return {
        "members": members,
        "overseers": [member.user for member in members if member.sees_every_line],
        "line_rows": lines,
        "invitations": environment.invitations.usable()
        .select_related("invited_by")
        .prefetch_related("lines")
        .order_by("-created_at"),
        "roles": Role.choices,
    }


def keys_of(user):
    """What somebody signs in with besides what they know, in words; empty where there is nothing."""
    types = {one.type for one in user.authenticator_set.all()}
    words = {Authenticator.Type.WEBAUTHN: "Passkey", Authenticator.Type.TOTP: "Code from an app"}
    return ", ".join(word for type, word in words.items() if type in types)


def rows_of(line, members):
    """The agents whom a line lets in, each with how, and those whom it does not."""
    access = {one.user_id: one for one in line.access.all()}
    agents = [member.user for member in members if not member.sees_every_line]
    rows = [(user, access[user.pk]) for user in agents if user.pk in access]
    return rows, [user for user in agents if user.pk not in access]
