from functools import cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models


@cache
def cipher():
    return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])


class EncryptedTextField(models.TextField):
    """Text that is encrypted at rest with ENCRYPTION_KEYS (the newest encrypts, all decrypt)."""

    def get_prep_value(self, value):
        value = super().get_prep_value(value)
        return value and cipher().encrypt(value.encode()).decode()

    def from_db_value(self, value, expression, connection):
        return value and cipher().decrypt(value.encode()).decode()
