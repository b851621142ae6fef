"""All settings, read once from the environment and ``.env``; docs/settings.md describes each."""

import os
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from djamon.lib.databases import database_from_url
from djamon.lib.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

environment = ENVIRONMENT = Environment()
if env_file := os.environ.get("DJAMON_ENV_FILE", str(BASE_DIR / ".env")):
    environment.read_file(Path(env_file))

# --- Where the web process listens ---------------------------------------------------------------
HOST = environment.text("HOST", "127.0.0.1")
PORT = environment.integer("PORT", 8000, at_least=1, at_most=65535)
SCHEDULER = environment.flag("SCHEDULER", default=True)  # off: cron does the periodic work
HOME_ROWS = environment.integer("HOME_ROWS", 2000, at_least=20, at_most=100_000)  # beyond, the worst alone
EVENTS_MAX_CLIENTS = environment.integer("EVENTS_MAX_CLIENTS", 1000, at_least=0, at_most=100_000)

# --- What every installation decides -------------------------------------------------------------
DEBUG = environment.flag("DEBUG", default=False)
SECRET_KEY = environment.text("SECRET_KEY")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY: not set; `make run` writes one to .env")
# This machine may always ask by its own names: watchers of /healthz do.
ALLOWED_HOSTS = [*environment.words("ALLOWED_HOSTS"), "localhost", "127.0.0.1", "[::1]"]
SITE_URL = environment.url("SITE_URL", f"http://127.0.0.1:{PORT}")  # how messages link to the pages
SECURE_COOKIES = environment.flag("SECURE_COOKIES", default=not DEBUG)
TRUSTED_PROXIES = environment.networks("TRUSTED_PROXIES")  # whose X-Forwarded-For is believed
PUBLIC_STATUS = environment.flag("PUBLIC_STATUS", default=False)
TIME_ZONE = environment.text("TIME_ZONE", "UTC")
if TIME_ZONE not in available_timezones():
    raise ImproperlyConfigured(f"TIME_ZONE: {TIME_ZONE!r} is no zone of the time zone database")
LOG_LEVEL = environment.text("LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
    raise ImproperlyConfigured(f"LOG_LEVEL: {LOG_LEVEL!r} is none of DEBUG, INFO, WARNING, ERROR")

# --- Database ------------------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {
    "default": database_from_url(
        environment.text("DATABASE_URL", "sqlite:///var/djamon.sqlite3"),
        base_dir=BASE_DIR,
        wait_s=environment.seconds("DATABASE_WAIT", 20, at_least=0.1, at_most=300),
        pool_size=environment.integer("DATABASE_POOL_SIZE", 0, at_least=0, at_most=100),
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Probing -------------------------------------------------------------------------------------
SANDBOX_URLS = environment.urls("SANDBOX_URLS", "http://www.bbc.co.uk/,http://www.google.co.uk/")
GOOD_CODES = environment.codes("GOOD_CODES", "200,301,304")
PROBE_TIMEOUT = environment.seconds("PROBE_TIMEOUT", 5, at_least=0.1, at_most=120)
LOOKUP_TIMEOUT = environment.seconds("LOOKUP_TIMEOUT", 3, at_least=0.1, at_most=120)
PROBE_CONCURRENCY = environment.integer("PROBE_CONCURRENCY", 256, at_least=1, at_most=2000)
PROBE_PER_HOST = environment.integer("PROBE_PER_HOST", 8, at_least=1, at_most=2000)
STRIKES = environment.integer("STRIKES", 3, at_least=1, at_most=100)
HEARTBEAT_URL = environment.url("HEARTBEAT_URL")  # called after each probe run

# --- History -------------------------------------------------------------------------------------
VIEWS_KEEP_DAYS = environment.integer("VIEWS_KEEP_DAYS", 90, at_least=1, at_most=3650)
HOURS_KEEP_DAYS = environment.integer("HOURS_KEEP_DAYS", 5 * 366, at_least=91, at_most=36500)

# --- Alerts --------------------------------------------------------------------------------------
FROM_EMAIL = environment.text("FROM_EMAIL", "djamon@localhost")
TO_EMAIL = environment.words("TO_EMAIL")
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = environment.text("EMAIL_HOST", "localhost")
EMAIL_PORT = environment.integer("EMAIL_PORT", 25, at_least=1, at_most=65535)
EMAIL_USE_TLS = environment.flag("EMAIL_USE_TLS", default=False)
EMAIL_HOST_USER = environment.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = environment.text("EMAIL_HOST_PASSWORD")
EMAIL_TIMEOUT = environment.seconds("EMAIL_TIMEOUT", 15, at_least=1, at_most=120)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = FROM_EMAIL
TWITTER = environment.flag("TWITTER", default=False)
CONSUMER_KEY = environment.text("CONSUMER_KEY")
CONSUMER_SECRET = environment.text("CONSUMER_SECRET")
OAUTH_TOKEN = environment.text("OAUTH_TOKEN")
OAUTH_SECRET = environment.text("OAUTH_SECRET")
TWITTER_API_URL = environment.url("TWITTER_API_URL", "https://api.x.com")

# --- Timings -------------------------------------------------------------------------------------
KODEMON = environment.flag("KODEMON", default=True)  # off: `manage.py up` starts no receiver
KODEMON_HOST = environment.text("KODEMON_HOST", "127.0.0.1")
KODEMON_PORT = environment.integer("KODEMON_PORT", 4000, at_least=0, at_most=65535)
KODEMON_TOKENS = frozenset(environment.words("KODEMON_TOKENS"))  # whose messages are taken; empty: anybody's
KODEMON_QUEUE_BYTES = environment.integer("KODEMON_QUEUE_BYTES", 48 << 20, at_least=1 << 20, at_most=1 << 34)
KODEMON_BUFFER_BYTES = environment.integer("KODEMON_BUFFER_BYTES", 16 << 20, at_least=65_536, at_most=1 << 30)
TIMINGS_MAX_KEYS = environment.integer("TIMINGS_MAX_KEYS", 10_000, at_least=1, at_most=1_000_000)
TIMINGS_KEEP_DAYS = environment.integer("TIMINGS_KEEP_DAYS", 30, at_least=1, at_most=3650)
TIMINGS_MINUTES_KEEP_DAYS = environment.integer("TIMINGS_MINUTES_KEEP_DAYS", 90, at_least=1, at_most=3650)
TIMINGS_HOURS_KEEP_DAYS = environment.integer("TIMINGS_HOURS_KEEP_DAYS", 731, at_least=1, at_most=36500)

# --- Jobs ----------------------------------------------------------------------------------------
PERIODIC_JOBS = "djamon.schedule.JOBS"  # the one table, as a dotted path
JOB_RUNS_KEEP_DAYS = environment.integer("JOB_RUNS_KEEP_DAYS", 30, at_least=1, at_most=3650)

# --- Django --------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "accounts",
    "jobs",
    "alerts",
    "monitor",
    "timings",
]
# For pages and JSON; static files are sent before any of it (djamon/lib/handler.py).
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "djamon.urls"
ASGI_APPLICATION = "djamon.asgi.application"
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
                "djamon.lib.hooks.page_frame",
            ],
            "libraries": {"words": "djamon.lib.words"},
        },
    },
]
# What a form may send, files aside. The largest that we take is 1 MB of text; what is larger than that, up to
# here, comes back with its form and the reason.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 << 20
LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
# The page of the API needs ninja's files. As an installed app every command would load it: 0.1 s a run.
NINJA = find_spec("ninja")
NINJA_DIR = Path(NINJA.origin).parent if NINJA and NINJA.origin else BASE_DIR
STATICFILES_DIRS = [BASE_DIR / "static", NINJA_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"},
}
SERVESTATIC_MANIFEST_STRICT = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # A refused request costs one line. A foreign Host header is logged as an error, but is the sender's.
    "filters": {
        "refusals": {"()": "djamon.lib.logs.OneLine"},
        "foreign_hosts": {"()": "djamon.lib.logs.OneLine", "from_level": "CRITICAL"},
    },
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"filters": ["refusals"]},
        "django.security.DisallowedHost": {"filters": ["foreign_hosts"]},
        "axes": {"level": "WARNING"},
    },
}

# --- Login and security --------------------------------------------------------------------------
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# Wrong logins: five of a user name at an address close it to that pair for a while (accounts/lockout.py).
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=5)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "accounts.lockout.LoginGuard"
AXES_LOCKOUT_CALLABLE = "accounts.lockout.lockout_page"
AXES_CLIENT_IP_CALLABLE = "accounts.lockout.counted_address"
AXES_SENSITIVE_PARAMETERS = ["username"]  # some type their password there
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True  # grows with each login, and nothing reads it
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Behind a proxy that ends TLS the browser says https:// where the request that reaches us says http://.
CSRF_TRUSTED_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(SITE_URL))] if SITE_URL else []
CSRF_FAILURE_VIEW = "djamon.error_pages.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "img-src": [SELF, "data:"],  # Bootstrap's stylesheet draws its icons from data: URLs
        "object-src": [NONE],
    }
}
