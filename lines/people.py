"""How people come in: the first admin, a link printed for one, an invitation taken up."""

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.db import connection, transaction
from django.db.models import Q
from django.urls import reverse

from lines.models import Environment, Invitation, Line, Membership, User
from lines.models.people import Role

# Seconds that a printed link stays good.
LINK_LIFETIME = 24 * 60 * 60
SIGN_IN, SETUP = "lines.people.sign-in", "lines.people.setup"
# Any number will do, as long as everybody who sets up locks the same one.
SETUP_LOCK = 7_278_955


@transaction.atomic
def create_person(email, name, password=None):
    """A user whose address counts as verified, so that e-mailed codes and single sign-on find them."""
    user = User.objects.create_user(email, password, name=name)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def sign_in_link(user):
    """An absolute URL that signs `user` in once, within a day; any sign-in of theirs uses it up."""
    token = signing.dumps([str(user.pk), stamp_of(user)], salt=SIGN_IN)
    return settings.PUBLIC_URL + reverse("sign-in", args=[token])


def stamp_of(user):
    return user.last_login.isoformat() if user.last_login else ""


def user_by_sign_in_token(token, users=None):
    """The user whose unused link has this token, or None."""
    try:
        pk, stamp = signing.loads(token, salt=SIGN_IN, max_age=LINK_LIFETIME)
    except signing.BadSignature:
        return None
    user = (User.objects if users is None else users).filter(pk=pk, is_active=True).first()
    return user if user and stamp_of(user) == stamp else None


def setup_link():
    """An absolute URL to make the first admin with, within a day and while there is nobody."""
    return settings.PUBLIC_URL + reverse("setup", args=[signing.dumps("setup", salt=SETUP)])


def may_set_up(token):
    try:
        signing.loads(token, salt=SETUP, max_age=LINK_LIFETIME)
    except signing.BadSignature:
        return False
    return not User.objects.exists()


@transaction.atomic
def set_up(*, name, email, password, environment_name):
    """The first admin and their sandbox with one line to try; None when somebody else was first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SETUP_LOCK])
    if User.objects.exists():
        return None
    admin = create_person(email, name, password)
    Environment.make(environment_name, by=admin)
    return admin


@transaction.atomic
def join(invitation, *, name, password):
    """A new person out of an invitation; None when it was used meanwhile."""
    if not Invitation.objects.usable().select_for_update().filter(pk=invitation.pk).exists():
        return None
    user = create_person(invitation.email, name, password)
    invitation.accept(by=user)
    return user


def owner_of(email):
    """Whose address this is, as their main one or as a proved second one."""
    second = EmailAddress.objects.filter(email__iexact=email, verified=True).values("user")
    return User.objects.filter(Q(email__iexact=email) | Q(pk__in=second)).first()


def invited(emails):
    return Invitation.objects.usable().filter(email__in=[email.lower() for email in emails])


def take_up(invitations, *, by):
    """What single sign-on does for a person whose address it has proved."""
    for invitation in invitations:
        invitation.accept(by=by)


def colleagues_of(user, environment):
    """Whose inbox `user` may look into here, by name: who sees one of the lines that `user` sees, and `user`."""
    lines = Line.objects.visible_to(user).filter(environment=environment).values("pk")
    sees = Q(role__in=(Role.ADMIN, Role.LEAD)) | Q(user__line_access__line__in=lines) | Q(user=user)
    members = Membership.objects.filter(sees, environment=environment).values("user")
    return User.objects.filter(pk__in=members, is_active=True).order_by("name", "email")


def belongs_somewhere(user):
    return Membership.objects.filter(user=user).exists()
