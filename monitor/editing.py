"""What staff change: here alone groups and sites are added, edited, paused, resumed and deleted.

Rows come in validated by their models' validators, which forms, admin and CSV files share. Every function is
one transaction and writes only the fields that it names: a run of the probes loses nothing by an edit.
Where the row itself is gone, ``Group.DoesNotExist`` or ``Site.DoesNotExist`` is raised.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from monitor import outages
from monitor.errors import EditRefused, GroupGone, NameTaken
from monitor.models import Group, OutageSites, Site
from scripts.unique_slugify import unique_slugify

Ending = OutageSites.Ending
Row = TypeVar("Row", Group, Site)

# Somebody else may take the slug between our look and our write; nobody is that unlucky four times.
SLUG_ATTEMPTS = 4


def add_group(group: Group) -> Group:
    """Store a new group under a free slug. Raises NameTaken."""
    _insert(group)
    return group


def edit_group(group: Group, fields: Collection[str]) -> None:
    """Store the named fields; the slug stays, so that links go on working. Raises NameTaken."""
    with transaction.atomic():
        _lock(Group.objects.filter(pk=group.pk)).get()
        _update(group, fields)


def delete_group(group_id: int, now: datetime) -> None:
    """Delete a group with its sites and all that they answered; outages keep their names."""
    with transaction.atomic():
        group = _lock(Group.objects.filter(pk=group_id)).get()
        _withdraw_all(group.sites.all(), Ending.DELETED, now)
        group.delete()


def add_site(site: Site) -> Site:
    """Store a new site under a free slug. Raises NameTaken, and GroupGone where its group is gone."""
    with transaction.atomic():
        _hold_group(site)
        _insert(site)
    return site


def edit_site(site: Site, fields: Collection[str]) -> None:
    """Store the named fields; slug and state stay. Raises NameTaken and GroupGone."""
    with transaction.atomic():
        _hold_group(site)
        _lock(Site.objects.filter(pk=site.pk)).get()
        _update(site, fields)


def pause_site(site_id: int, now: datetime) -> Site:
    """Ask the site no more; if it is down, its outage goes on without it. A paused site stays as it is."""
    with transaction.atomic():
        site = _lock(Site.objects.filter(pk=site_id)).get()
        if site.enabled:
            outages.withdraw([site.pk], Ending.PAUSED, now)
            _restart(site, enabled=False, now=now)
    return site


def resume_site(site_id: int, now: datetime) -> Site:
    """Ask the site again from the next run on; one that is not paused stays as it is."""
    with transaction.atomic():
        site = _lock(Site.objects.filter(pk=site_id)).get()
        if not site.enabled:
            _restart(site, enabled=True, now=now)
    return site


def delete_site(site_id: int, now: datetime) -> None:
    """Delete a site and all that it answered; outages keep its name."""
    with transaction.atomic():
        site = _lock(Site.objects.filter(pk=site_id)).get()
        outages.withdraw([site.pk], Ending.DELETED, now)
        site.delete()


def _lock(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Rows that nobody changes or deletes until we are done (PostgreSQL; SQLite has one writer at a time)."""
    return rows.select_for_update(no_key=True)


def _hold_group(site: Site) -> None:
    if _lock(Group.objects.filter(pk=site.group_id)).first() is None:
        raise GroupGone


def _withdraw_all(sites: QuerySet[Site], ending: OutageSites.Ending, now: datetime) -> None:
    # In the order in which a run locks them, so that neither waits for the other in a circle.
    locked = _lock(sites.order_by("pk")).values_list("pk", flat=True)
    outages.withdraw(list(locked), ending, now)


def _restart(site: Site, *, enabled: bool, now: datetime) -> None:
    site.enabled, site.state_since = enabled, now
    site.state, site.failures = Site.State.UNKNOWN, 0
    site.save(update_fields=["enabled", "state_since", "state", "failures"])


def _insert(row: Group | Site) -> None:
    for _ in range(SLUG_ATTEMPTS):
        try:
            with transaction.atomic():
                unique_slugify(row, row.name)
                row.save(force_insert=True)
        except IntegrityError as error:
            if _name_is_taken(row):
                raise NameTaken(_taken_sentence(row)) from error
        else:
            return
    raise EditRefused


def _update(row: Group | Site, fields: Collection[str]) -> None:
    if not fields:
        return
    try:
        with transaction.atomic():
            row.save(update_fields=list(fields))
    except IntegrityError as error:
        if not _name_is_taken(row):
            raise
        raise NameTaken(_taken_sentence(row)) from error


def _name_is_taken(row: Group | Site) -> bool:
    if isinstance(row, Site):
        same_name = Site.objects.filter(group_id=row.group_id, name=row.name).exclude(pk=row.pk)
        return same_name.exists()
    return Group.objects.filter(name=row.name).exclude(pk=row.pk).exists()


def _taken_sentence(row: Group | Site) -> str:
    return "The group has a site of this name." if isinstance(row, Site) else "There is a group of this name."
