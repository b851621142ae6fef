"""A pytest plugin, loaded before the settings are read: tests see none of this machine's own settings.

With TEST_DATABASE_URL set, the suite runs on that database; otherwise on SQLite in memory.
"""

import os

KEPT = {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "CI", "VIRTUAL_ENV", "TERM", "COLUMNS"}

_database = os.environ.get("TEST_DATABASE_URL", "sqlite://:memory:")
for _name in list(os.environ):
    if not (_name in KEPT or _name.startswith(("TEST_", "PYTEST_", "PYTHON", "HYPOTHESIS_", "COVERAGE_"))):
        del os.environ[_name]
os.environ.update(
    DJAMON_ENV_FILE="",
    DJANGO_SETTINGS_MODULE="djamon.settings",
    SECRET_KEY="for-tests-only-" + "x" * 50,
    DATABASE_URL=_database,
    SANDBOX_URLS="",
    TO_EMAIL="",
)
