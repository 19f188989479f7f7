from django.db import connection, models

from inbox.models.refusing import Refused


class Keyed(models.Model):
    """The ability of a message to be asked for twice and sent once: its key is used up for good."""

    idempotency_key = models.CharField(max_length=255, null=True)
    # Of what a program asked for under the key, and how its line was chosen where it left that to us.
    fingerprint = models.CharField(max_length=64, blank=True, default="")
    selection = models.JSONField(null=True)

    class Meta:
        abstract = True

    @staticmethod
    def hold_key(environment_id, key):
        """Whoever else comes with this key waits until the end of the transaction."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{environment_id} {key}"]
            )

    @classmethod
    def under_key(cls, environment_id, key, *, fingerprint=""):
        """The message that was made under this key, or None. A program (`fingerprint`) is Refused where it was
        deleted since, or was asked for with another content."""
        known = cls.objects.filter(environment=environment_id, idempotency_key=key).first()
        if known is None or not fingerprint:
            return known
        if known.deleted_at:
            raise Refused(2002, "The message of this idempotency_key was deleted. It is not sent again.")
        if known.fingerprint != fingerprint:
            raise Refused(2015, "This idempotency_key was used for another message.")
        return known
