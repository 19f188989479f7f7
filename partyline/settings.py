"""The settings; the environment is read here and nowhere else. `.env.example` explains every name."""

from pathlib import Path

import structlog
from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF
from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
env.read_env(BASE_DIR / ".env", recurse=False)

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", [])
# Fernet keys for secrets at rest, newest first; older ones still decrypt.
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS")
PARTYLINE_DATA = Path(env.str("PARTYLINE_DATA", str(BASE_DIR / "var"))).resolve()
PORT = env.int("PORT", 8000)
PUBLIC_URL = env.str("PUBLIC_URL", f"http://localhost:{PORT}").rstrip("/")
# Where the sandbox carrier posts its webhooks: this server, from its own point of view.
RECEIVER_URL = env.str("RECEIVER_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
# Where the accounts of environments with the carrier linq are; another Partyline’s /api/partner is one too.
LINQ_API_URL = env.str("LINQ_API_URL", "https://api.linqapp.com/api/partner").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", [PUBLIC_URL])

INSTALLED_APPS = [
    "daphne",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.sites",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "channels",
    "csp",
    "django_htmx",
    "django_prometheus",
    "django_structlog",
    "template_partials",
    "lines",
    "inbox",
    "webhooks",
]

MIDDLEWARE = [
    "partyline.middleware.trace",
    "django_structlog.middlewares.RequestMiddleware",
    "partyline.middleware.programs",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "partyline.middleware.permissions_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "partyline.middleware.invalid_forms",
    "django_htmx.middleware.HtmxMiddleware",
    "lines.middleware.environment",
]

ROOT_URLCONF = "partyline.urls"
ASGI_APPLICATION = "partyline.asgi.application"
SITE_ID = 1

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "lines.context_processors.frame",
            ],
            "builtins": ["template_partials.templatetags.partials", "inbox.templatetags.partyline"],
        },
    }
]

DATABASES = {"default": env.dj_db_url("DATABASE_URL")}
DATABASES["default"] |= {
    "ENGINE": "django.db.backends.postgresql",
    "CONN_MAX_AGE": 0,
    "OPTIONS": DATABASES["default"].get("OPTIONS", {})
    | {"pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL", 16), "timeout": 10}},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL")
# Only the rate limits of signing in count here, and those must not need the broker.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
# Celery only wakes workers; with the broker away a publisher gives up at once and the sweep finds the work.
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    # Without these kombu goes on trying for six seconds, and whoever publishes waits.
    "max_retries": 1,
    "interval_start": 0,
    "visibility_timeout": 3600,
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "apply receipts": {"task": "webhooks.tasks.apply_receipts", "schedule": 2.0, "options": {"expires": 2}},
    "fetch what waits": {
        "task": "webhooks.tasks.fetch_awaited",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    "compare accounts": {"task": "webhooks.tasks.compare_due", "schedule": 5.0, "options": {"expires": 5}},
    "watch accounts": {"task": "webhooks.tasks.watch_accounts", "schedule": 60.0, "options": {"expires": 60}},
    "send what is due": {"task": "inbox.tasks.send_due", "schedule": 2.0, "options": {"expires": 2}},
    "send what was scheduled": {
        "task": "inbox.tasks.send_scheduled_due",
        "schedule": 2.0,
        "options": {"expires": 2},
    },
    "remove unused uploads": {"task": "inbox.tasks.remove_unused_uploads", "schedule": 3600.0},
    "run errands": {"task": "inbox.tasks.run_errands_due", "schedule": 2.0, "options": {"expires": 2}},
    "fetch media": {"task": "inbox.tasks.fetch_media_due", "schedule": 10.0, "options": {"expires": 10}},
    "make previews": {"task": "inbox.tasks.make_previews", "schedule": 10.0, "options": {"expires": 10}},
    "remove files": {"task": "inbox.tasks.remove_files", "schedule": 60.0, "options": {"expires": 60}},
    "put contact cards": {
        "task": "lines.tasks.put_contact_cards_due",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "wake snoozed conversations": {
        "task": "inbox.tasks.wake_snoozed_due",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "keep figures": {"task": "inbox.tasks.keep_figures", "schedule": 5.0, "options": {"expires": 5}},
    "keep line health": {
        "task": "inbox.tasks.keep_line_health",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "look for signs": {"task": "inbox.tasks.look_for_signs", "schedule": 60.0, "options": {"expires": 60}},
    "mail line alerts": {
        "task": "lines.tasks.mail_line_alerts_due",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "check figures": {"task": "inbox.tasks.check_figures", "schedule": crontab(hour=3, minute=20)},
    "share contact cards": {
        "task": "inbox.tasks.share_cards_due",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "remove what is too old": {
        "task": "webhooks.tasks.apply_retention",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "pause failing subscriptions": {
        "task": "webhooks.tasks.pause_failing",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "tell of expired keys": {
        "task": "lines.tasks.tell_of_expired_keys",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "end warming": {
        "task": "lines.tasks.end_warming_due",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "sandbox carrier": {
        "task": "lines.tasks.post_sandbox_webhooks",
        "schedule": 2.0,
        "options": {"expires": 2},
    },
}

AUTH_USER_MODEL = "lines.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "account_login"

ACCOUNT_ADAPTER = "lines.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = True
# Behind a proxy its count says whose address the rate limits count.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", 0)
MFA_ADAPTER = "lines.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = PUBLIC_URL.startswith("http://")
SOCIALACCOUNT_ADAPTER = "lines.adapters.SocialAccountAdapter"
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
OIDC_SERVER_URL = env.str("OIDC_SERVER_URL", "")
# Where the provider shows its sign-in page, if that is another host: browsers follow our form to there only.
OIDC_SIGN_IN_ORIGIN = env.str("OIDC_SIGN_IN_ORIGIN", "") or "/".join(OIDC_SERVER_URL.split("/")[:3])
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": env.str("OIDC_NAME", "Single sign-on"),
                "client_id": env.str("OIDC_CLIENT_ID", ""),
                "secret": env.str("OIDC_CLIENT_SECRET", ""),
                "settings": {"server_url": OIDC_SERVER_URL},
            }
        ]
        if OIDC_SERVER_URL
        else [],
    }
}

EMAIL_CONFIG = env.dj_email_url("EMAIL_URL", "consolemail://")
vars().update({key: value for key, value in EMAIL_CONFIG.items() if key.startswith("EMAIL_")})
# Seconds. Whoever invites somebody waits for it, to be told whether the mail has left.
EMAIL_TIMEOUT = EMAIL_CONFIG.get("EMAIL_TIMEOUT") or 10
DEFAULT_FROM_EMAIL = env.str("FROM_EMAIL", "Partyline <partyline@localhost>")

LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(PARTYLINE_DATA / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = PARTYLINE_DATA / "media"
STORAGES = {
    "default": {"BACKEND": env.str("MEDIA_STORAGE", "django.core.files.storage.FileSystemStorage")},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# Bytes. Webhooks larger than this are refused; media larger than that stays with the carrier.
WEBHOOK_MAX_BYTES = env.int("WEBHOOK_MAX_BYTES", 1024 * 1024)
MEDIA_MAX_BYTES = env.int("MEDIA_MAX_BYTES", 100 * 1024 * 1024)
# Of a file that is sent by its address.
MEDIA_URL_MAX_BYTES = env.int("MEDIA_URL_MAX_BYTES", 10 * 1024 * 1024)
# Only for a carrier on the same machine: media may then be fetched from private addresses.
MEDIA_ALLOW_PRIVATE = env.bool("MEDIA_ALLOW_PRIVATE", False)
# Hosts to which webhooks may go although they are private, and without TLS: patterns such as localhost:*, with commas.
WEBHOOK_PRIVATE_HOSTS = env.list("WEBHOOK_PRIVATE_HOSTS", [])
CARRIER_PRIVATE_HOSTS = env.list("CARRIER_PRIVATE_HOSTS", [])
# Requests of programs are written down together, so many seconds after the first of them; 0: each at once.
REQUEST_LOG_SECONDS = env.float("REQUEST_LOG_SECONDS", 1.0)
# Messages to one person from one line in a minute.
PAIR_LIMIT = env.int("PAIR_LIMIT", 30)

insecure = env.bool("INSECURE_COOKIES", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not insecure
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", not insecure)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^sandbox/media/"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None
SECURE_HSTS_SECONDS = 0 if insecure else env.int("HSTS_SECONDS", 31536000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not insecure
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "media-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF, *filter(None, [OIDC_SIGN_IN_ORIGIN])],
        "frame-ancestors": [NONE],
    }
}

LOG_FORMAT = env.str("LOG_FORMAT", "console")
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
SHARED_PROCESSORS = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
RENDERER = (
    [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
    if LOG_FORMAT == "json"
    else [structlog.dev.ConsoleRenderer(colors=False)]
)
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *SHARED_PROCESSORS,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *RENDERER],
            "foreign_pre_chain": SHARED_PROCESSORS,
        }
    },
    "handlers": {"stream": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["stream"], "level": LOG_LEVEL},
    "loggers": {
        "django_structlog": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "psycopg.pool": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}
DJANGO_STRUCTLOG_CELERY_ENABLED = False
SILENCED_SYSTEM_CHECKS = []
