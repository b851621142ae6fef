"""``python -m tests.browser SIZE``: fills the database of the environment, once Django is set up."""

import os
import sys
from datetime import UTC, datetime

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "djamon.settings")
django.setup()

from django.db import transaction  # noqa: E402  (after the set-up)

from tests.browser import filling, sketches  # noqa: E402

with transaction.atomic():
    filling.fill(sketches.SIZES[sys.argv[1]](), datetime.now(UTC))
