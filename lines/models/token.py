import hashlib
import secrets
from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from uuid_utils.compat import uuid7

from lines.models.people import User
from partyline.moments import moment

# Of the secret part; 32 random bytes, so that a plain hash keeps them.
BYTES = 32
SHOWN = 12
LIVE, TEST = "pl_live_", "pl_test_"
# Keys of one environment that work at the same time.
MOST = 100
# A key that is in use all the time is written down this often, not with each request.
USED_EVERY = timedelta(minutes=1)


class TooManyKeys(Exception):
    """Nobody could tell any more which of them is for what."""


class Scope(models.TextChoices):
    READ = "read", "Read"
    SEND = "send", "Send"
    MANAGE = "manage", "Manage"


def hash_key(key):
    return hashlib.sha256(key.encode()).hexdigest()


class ApiTokenQuerySet(models.QuerySet):
    def usable(self):
        now = timezone.now()
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)

    def ended(self):
        return self.filter(Q(expires_at__lte=timezone.now()) | Q(revoked_at__isnull=False))

    def by_key(self, key):
        """A key for testing opens no production, whatever became of its environment, nor one for production a test."""
        is_live = key.startswith(LIVE)
        return self.usable().filter(hash=hash_key(key), environment__is_production=is_live)


class ApiToken(models.Model):
    """A key with which a program speaks the V3 API in one environment, perhaps on one line only.

    The key itself is shown once and kept as a hash. What the program does is done `by` its `actor`, a user who
    cannot sign in and bears the key's name; a key and those that it was rotated to have one actor.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="tokens")
    actor = models.ForeignKey(User, models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=80)
    # The beginning and the end of the key, by which people recognize it.
    prefix = models.CharField(max_length=20)
    suffix = models.CharField(max_length=4)
    hash = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope.choices))
    line = models.ForeignKey("lines.Line", models.CASCADE, null=True, related_name="tokens")
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    # Whether the log has been told that it has ended by itself.
    is_expiry_told = models.BooleanField(default=False)
    rotated_to = models.OneToOneField("self", models.SET_NULL, null=True, related_name="rotated_from")

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["environment", "-created_at"], name="tokens_of_environment")]
        constraints = [models.CheckConstraint(condition=Q(scopes__len__gt=0), name="token_has_a_scope")]

    def __str__(self):
        return self.name

    @classmethod
    @transaction.atomic
    def make(cls, environment, name, *, by, scopes=tuple(Scope.values), line=None, expires_at=None):
        """(the token, its key in clear, which is nowhere afterwards); raises TooManyKeys."""
        if environment.tokens.usable().count() >= MOST:
            raise TooManyKeys(f"{MOST} keys work here already: revoke one that nobody needs any more.")
        token, key = cls._new(environment, name, User.program(name), by, scopes, line, expires_at)
        environment.announce(
            "api_token.created", by=by, line=line, summary=f"Made the key {name}", **token.told
        )
        return token, key

    @classmethod
    def _new(cls, environment, name, actor, by, scopes, line, expires_at):
        kind = LIVE if environment.is_production else TEST
        key = f"{kind}{secrets.token_urlsafe(BYTES)}"
        token = cls.objects.create(
            environment=environment,
            actor=actor,
            name=name,
            prefix=key[:SHOWN],
            suffix=key[-4:],
            hash=hash_key(key),
            scopes=[scope for scope in Scope.values if scope in scopes],
            line=line,
            made_by=by,
            expires_at=expires_at,
        )
        return token, key

    @transaction.atomic
    def rotate(self, *, by, overlap=timedelta(hours=24)):
        """(the token in its place, its key); this one works for the overlap still. None where it cannot be."""
        old = ApiToken.objects.select_for_update().usable().filter(pk=self.pk, rotated_to=None).first()
        if old is None:
            return None
        token, key = self._new(
            old.environment, old.name, old.actor, by, old.scopes, old.line, lifetime_of(old)
        )
        before, end = old.expires_at, timezone.now() + overlap
        old.rotated_to, old.expires_at = token, min(filter(None, [old.expires_at, end]))
        old.save(update_fields=["rotated_to", "expires_at"])
        self.refresh_from_db()
        old.environment.announce(
            "api_token.created", by=by, summary=f"Rotated the key {old.name}", **token.told
        )
        old.environment.announce(
            "api_token.expiry_scheduled",
            by=by,
            summary=f"The former key {old.name} ends",
            change={"from": before and moment(before), "to": moment(old.expires_at)},
            **old.told,
        )
        return token, key

    @transaction.atomic
    def rename(self, name, *, by):
        if ApiToken.objects.exclude(name=name).filter(pk=self.pk).update(name=name):
            before = self.name
            User.objects.filter(pk=self.actor_id).update(name=name)
            ApiToken.objects.filter(actor=self.actor_id).update(name=name)
            self.refresh_from_db()
            self.environment.announce(
                "api_token.renamed",
                by=by,
                summary=f"Renamed the key {before} to {name}",
                change={"from": before, "to": name},
                **self.told,
            )

    @transaction.atomic
    def revoke(self, *, by):
        """From now on it opens nothing; safe to repeat."""
        if ApiToken.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now()):
            self.refresh_from_db()
            self.environment.announce(
                "api_token.deleted", by=by, summary=f"Revoked the key {self.name}", **self.told
            )

    @classmethod
    def tell_expired(cls):
        """Announce those that have ended by themselves, each once; how many."""
        ended = cls.objects.filter(expires_at__lte=timezone.now(), revoked_at=None, is_expiry_told=False)
        return sum(token._tell_expired() for token in ended.select_related("environment")[:MOST])

    @transaction.atomic
    def _tell_expired(self):
        told = ApiToken.objects.filter(pk=self.pk, revoked_at=None, is_expiry_told=False)
        if not told.update(is_expiry_told=True):
            return False
        self.environment.announce(
            "api_token.expired", by=None, summary=f"The key {self.name} has ended", **self.told
        )
        return True

    @property
    def told(self):
        """What the log says of it; never the key."""
        expires_at = self.expires_at and moment(self.expires_at)
        about = {"id": str(self.pk), "name": self.name, "token_prefix": self.prefix, "expires_at": expires_at}
        return {"api_token": about}

    def used(self):
        """Remember when it was last used."""
        now = timezone.now()
        if self.last_used_at is None or self.last_used_at < now - USED_EVERY:
            ApiToken.objects.filter(pk=self.pk).update(last_used_at=now)

    def may(self, scope):
        return scope in self.scopes

    @property
    def state(self):
        """active, ending (it was rotated), expired or revoked."""
        if self.revoked_at:
            return "revoked"
        if self.expires_at and self.expires_at <= timezone.now():
            return "expired"
        return "ending" if self.rotated_to_id else "active"

    @property
    def lines(self):
        """The lines that it opens."""
        return (
            self.environment.lines.filter(pk=self.line_id) if self.line_id else self.environment.lines.all()
        )


def lifetime_of(token):
    """Until when the next one works, where this one was to end: as long as this one was to work in all."""
    if token.expires_at is None:
        return None
    return timezone.now() + (token.expires_at - token.created_at)
