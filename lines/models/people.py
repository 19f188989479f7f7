import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from lines.models.event import ACCESS_CHANGED

TONES = 6


def tone_of(key):
    """Which of the six quiet grounds a face has; the same for the same key, everywhere."""
    return hashlib.blake2b(str(key).encode(), digest_size=1).digest()[0] % TONES + 1


def initials_of(name):
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


class UserManager(BaseUserManager):
    def create_user(self, email, password=None, **fields):
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, email):
        return self.get(email__iexact=email, is_program=False)


class User(AbstractBaseUser):
    """A colleague. What they may do is said per environment, by a membership."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    # The author of what comes by an API key. Nobody can sign in as one.
    is_program = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
    objects = UserManager()

    def __str__(self):
        return self.name or self.email

    @classmethod
    def program(cls, name):
        """A user for what a program does."""
        user = cls(name=name, is_program=True, is_active=False)
        user.email = f"{user.pk}@programs.invalid"
        user.set_unusable_password()
        user.save(force_insert=True)
        return user

    @property
    def initials(self):
        return initials_of(self.name) or self.email[:2].upper()

    @property
    def tone(self):
        return tone_of(self.pk)

    @property
    def first_name(self):
        return self.name.split(" ")[0] or self.email


class Role(models.TextChoices):
    ADMIN = "admin", "Admin"
    LEAD = "lead", "Lead"
    AGENT = "agent", "Agent"


class LastAdmin(Exception):
    """An environment without an admin could never be changed again."""


class Membership(models.Model):
    """What a person is in one environment; without one they see nothing of it."""

    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.AGENT)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "user"], name="one_membership"),
        ]

    def __str__(self):
        return f"{self.user} is {self.role} of {self.environment}"

    @property
    def is_admin(self):
        return self.role == Role.ADMIN

    @property
    def sees_every_line(self):
        return self.role in (Role.ADMIN, Role.LEAD)

    def keep_an_admin(self):
        # Locked in one order, so that two admins who remove each other at once do not both succeed.
        admins = Membership.objects.select_for_update().order_by("pk")
        admins = admins.filter(environment=self.environment_id, role=Role.ADMIN)
        if all(admin.pk == self.pk for admin in admins):
            raise LastAdmin("The last admin stays: make somebody else an admin first.")

    @transaction.atomic
    def become(self, role, *, by):
        """Take another role; raises LastAdmin."""
        if self.role == Role.ADMIN and role != Role.ADMIN:
            self.keep_an_admin()
        if Membership.objects.exclude(role=role).filter(pk=self.pk).update(role=role):
            self.refresh_from_db()
            data = {"user": str(self.user_id), "role": role}
            self.environment.record(ACCESS_CHANGED, by=by, data=data)

    @transaction.atomic
    def end(self, *, by):
        """Leave the environment with everything in it; raises LastAdmin."""
        if self.role == Role.ADMIN:
            self.keep_an_admin()
        self.environment.expel(self.user, by=by)


class InvitationQuerySet(models.QuerySet):
    def usable(self):
        return self.filter(accepted_at=None, expires_at__gt=timezone.now())

    def by_token(self, token):
        return self.usable().filter(token_hash=hash_token(token))


def hash_token(token):
    return hashlib.sha256(token.encode()).hexdigest()


class Invitation(models.Model):
    """A link that lets one person join an environment once, within seven days."""

    LIFETIME = timedelta(days=7)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.AGENT)
    lines = models.ManyToManyField("lines.Line", blank=True)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    def __str__(self):
        return f"{self.email} to {self.environment}"

    @classmethod
    @transaction.atomic
    def invite(cls, environment, email, *, role, lines=(), by=None):
        """Returns (invitation, token); the token is kept only as a hash and so shown once. An earlier link
        for the same address is worth nothing from now on."""
        token = secrets.token_urlsafe(32)
        earlier = cls.objects.usable().filter(environment=environment, email=email.lower())
        earlier.update(expires_at=timezone.now())
        invitation = cls.objects.create(
            environment=environment,
            email=email.lower(),
            role=role,
            invited_by=by,
            token_hash=hash_token(token),
            expires_at=timezone.now() + cls.LIFETIME,
        )
        invitation.lines.set(lines)
        environment.record("inbox.member_invited", by=by, data={"email": invitation.email, "role": role})
        return invitation, token

    @transaction.atomic
    def withdraw(self, *, by):
        if Invitation.objects.usable().filter(pk=self.pk).update(expires_at=timezone.now()):
            self.environment.record("inbox.invitation_withdrawn", by=by, data={"email": self.email})

    @transaction.atomic
    def accept(self, *, by):
        """Make `by` a member with the lines of the invitation; who is one already keeps their role.

        False when it was used meanwhile.
        """
        if not Invitation.objects.usable().filter(pk=self.pk).update(accepted_at=timezone.now()):
            return False
        known = self.environment.memberships.filter(user=by).first()
        self.environment.admit(by, role=known.role if known else self.role, lines=self.lines.all())
        return True
