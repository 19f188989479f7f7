"""Who may come in: whoever has an account or an invitation, and nobody else."""

from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib.sites.models import Site
from django.db import transaction
from django.shortcuts import render

from lines import people
from partyline.fields import cipher


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        """New people come by /join/ and /setup/ only."""
        return False

    def send_mail(self, template_prefix, email, context):
        site = Site(name="Partyline", domain=urlsplit(settings.PUBLIC_URL).netloc)
        super().send_mail(template_prefix, email, {"current_site": site} | context)

    def format_email_subject(self, subject):
        return f"{subject} · Partyline"


class MFAAdapter(DefaultMFAAdapter):
    """Seeds of codes are secrets like others of ours, and kept as those are."""

    def encrypt(self, text):
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text):
        return cipher().decrypt(encrypted_text.encode()).decode()


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Single sign-on says who somebody is; a membership or an invitation says whether they may come in."""

    def pre_social_login(self, request, sociallogin):
        if not sociallogin.is_existing or people.belongs_somewhere(sociallogin.user):
            return
        invitations = people.invited(verified_emails(sociallogin))
        if not invitations.exists():
            raise ImmediateHttpResponse(render(request, "account/signup_closed.html", status=403))
        people.take_up(invitations, by=sociallogin.user)

    def is_open_for_signup(self, request, sociallogin):
        return people.invited(verified_emails(sociallogin)).exists()

    @transaction.atomic
    def save_user(self, request, sociallogin, form=None):
        user = super().save_user(request, sociallogin, form)
        people.take_up(people.invited(verified_emails(sociallogin)), by=user)
        return user

    def populate_user(self, request, sociallogin, data):
        """Only what we keep of a person: our `first_name` is read from the name, so allauth cannot set it."""
        user = sociallogin.user
        user.email = data.get("email") or ""
        named = f"{data.get('first_name') or ''} {data.get('last_name') or ''}".strip()
        user.name = (data.get("name") or named or user.email.split("@")[0])[:120]
        return user


def verified_emails(sociallogin):
    return [address.email for address in sociallogin.email_addresses if address.verified]
