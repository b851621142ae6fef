"""Registers what the jobs tell the pages, /metrics and `manage.py check`."""

from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models.signals import post_migrate
from django.utils import timezone


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from djamon.lib import hooks  # noqa: PLC0415  (models are loaded only now)
        from jobs import banners, checks, metrics  # noqa: F401, PLC0415  (checks register themselves)

        hooks.nav_items.append(hooks.NavItem("Jobs", "jobs", 70, audience="users"))
        hooks.banner_sources.append(banners.banners)
        hooks.metric_sources.append(metrics.job_figures)
        post_migrate.connect(_note_new_jobs, sender=self)


def _note_new_jobs(using: str, **_options: Any) -> None:
    """`migrate` is part of every installation and upgrade: the moment when a job can be new."""
    from jobs import queries  # noqa: PLC0415
    from jobs.models import Checkpoint  # noqa: PLC0415

    # The signal also comes where only another app was migrated, or ours was taken back.
    if using == DEFAULT_DB_ALIAS and Checkpoint._meta.db_table in connection.introspection.table_names():
        queries.note_new_jobs(timezone.now())
