"""The web process: Django behind uvicorn."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "djamon.settings")
# Under ASGI every request may come on a thread of its own: connections are pooled, not kept per thread.
os.environ.setdefault("DATABASE_POOL_SIZE", "10")

from django.core.asgi import get_asgi_application

application = get_asgi_application()
