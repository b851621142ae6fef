"""What staff change: here alone groups and sites are added, edited, paused, resumed and deleted.

Rows come in validated by their models' validators, which forms, admin and CSV files share. Every function is
one transaction (but deletions are many short ones) and writes only the fields that it names: a run of the
probes loses nothing by an edit. Where the one row to change is gone, ``Group.DoesNotExist`` or
``Site.DoesNotExist`` is raised; where many are to be changed, those that are gone are passed over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.db.models import CASCADE, QuerySet

from monitor import outages
from monitor.errors import ChangedMeanwhile, EditRefused, GroupGone, NameTaken
from monitor.models import Group, OutageSites, Site
from scripts.unique_slugify import unique_slugify

Ending = OutageSites.Ending
Row = TypeVar("Row", Group, Site)

# Somebody else may take the slug between our look and our write; nobody is that unlucky four times.
SLUG_ATTEMPTS = 4
# Results that go in one transaction: some 20 ms on SQLite, so that a run of the probes hardly waits.
RESULTS_TOGETHER = 2000
# After this a page's deletion asks whether to go on: browsers and proxies lose patience after a minute.
DELETION_S = 20.0
# Sites that go in one transaction, when their results are gone.
SITES_TOGETHER = 20


def add_group(group: Group) -> Group:
    """Store a new group under a free slug. Raises NameTaken."""
    _insert(group)
    return group


def edit_group(group: Group, fields: Collection[str], before: Mapping[str, object] | None = None) -> None:
    """Store the named fields; the slug stays, so that links go on working.

    ``before`` says what the fields held when the edit was decided. Raises NameTaken and ChangedMeanwhile.
    """
    with transaction.atomic():
        _check_unchanged(_lock(Group.objects.filter(pk=group.pk)).get(), fields, before)
        _update(group, fields)


def delete_group(group_id: int, now: datetime, enough: Callable[[], bool] = lambda: False) -> bool:
    """Delete a group with its sites and all that they answered; outages keep their names.

    False where it was ``enough`` before the end: the group is still there, with what delete_sites left.
    """
    if delete_sites(list(Group.objects.get(pk=group_id).sites.values_list("pk", flat=True)), now, enough):
        return False
    with transaction.atomic():
        group = _lock(Group.objects.filter(pk=group_id)).get()
        # Somebody may have added a site meanwhile.
        _withdraw_all(group.sites.all(), Ending.DELETED, now)
        group.delete()
    return True


def add_site(site: Site) -> Site:
    """Store a new site under a free slug. Raises NameTaken, and GroupGone where its group is gone."""
    with transaction.atomic():
        _hold_group(site)
        _insert(site)
    return site


def edit_site(site: Site, fields: Collection[str], before: Mapping[str, object] | None = None) -> None:
    """Store the named fields; slug and state stay. Raises NameTaken, GroupGone and, with ``before``, what
    the fields held when the edit was decided, ChangedMeanwhile.
    """
    with transaction.atomic():
        _hold_group(site)
        _check_unchanged(_lock(Site.objects.filter(pk=site.pk)).get(), fields, before)
        if "url" in fields:  # another address has another certificate, which the next run reads
            site.certificate_ends = site.certificate_read = None
            fields = {*fields, "certificate_ends", "certificate_read"}
        _update(site, fields)


def pause_site(site_id: int, now: datetime) -> Site:
    """Ask the site no more; if it is down, its outage goes on without it. A paused site stays as it is."""
    with transaction.atomic():
        pause_sites([site_id], now)
        return Site.objects.get(pk=site_id)


def pause_sites(site_ids: Collection[int], now: datetime) -> int:
    """Ask none of these sites any more; returns how many were, until now. Queries do not grow."""
    with transaction.atomic():
        ids = _locked_ids(Site.objects.filter(pk__in=site_ids, enabled=True))
        _stop(ids, Ending.PAUSED, now)
    return len(ids)


def resume_site(site_id: int, now: datetime) -> Site:
    """Ask the site again from the next run on; one that is not paused stays as it is."""
    with transaction.atomic():
        resume_sites([site_id], now)
        return Site.objects.get(pk=site_id)


def resume_sites(site_ids: Collection[int], now: datetime) -> int:
    """Ask these sites again from the next run on; returns how many were paused."""
    with transaction.atomic():
        ids = _locked_ids(Site.objects.filter(pk__in=site_ids, enabled=False))
        _restart(ids, enabled=True, now=now)
    return len(ids)


def delete_site(site_id: int, now: datetime, enough: Callable[[], bool] = lambda: False) -> bool:
    """Delete a site and all that it answered; outages keep its name. False: it was ``enough`` before."""
    return not delete_sites([Site.objects.only("pk").get(pk=site_id).pk], now, enough)


def delete_sites(
    site_ids: Collection[int], now: datetime, enough: Callable[[], bool] = lambda: False
) -> list[int]:
    """Delete sites and all that they answered; returns the ids of those that are left when it was ``enough``.

    Millions of results in one transaction would keep every run waiting. So the sites are first paused and
    taken out of the outage, all at once; then their results go in small steps, ``enough`` being asked before
    each; then the sites. Who is stopped half-way leaves paused sites behind, and may delete those again.
    """
    with transaction.atomic():
        ids = _locked_ids(Site.objects.filter(pk__in=site_ids))
        _stop(ids, Ending.DELETED, now)
    for start in range(0, len(ids), SITES_TOGETHER):
        some = ids[start : start + SITES_TOGETHER]
        if not _delete_results(some, enough):
            return ids[start:]
        with transaction.atomic():
            # Somebody may have resumed one of them meanwhile, and it may have fallen.
            _withdraw_all(Site.objects.filter(pk__in=some), Ending.DELETED, now)
            Site.objects.filter(pk__in=some).delete()
    return []


def out_of_patience(seconds: float = DELETION_S) -> Callable[[], bool]:
    """Whether that long has passed since now."""
    deadline = time.monotonic() + seconds
    return lambda: time.monotonic() > deadline


def _check_unchanged(stored: Row, fields: Collection[str], before: Mapping[str, object] | None) -> None:
    if before is not None and any(stored.serializable_value(name) != before[name] for name in fields):
        raise ChangedMeanwhile


def _lock(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Rows that nobody changes or deletes until we are done (PostgreSQL; SQLite has one writer at a time)."""
    return rows.select_for_update(no_key=True)


def _hold_group(site: Site) -> None:
    if _lock(Group.objects.filter(pk=site.group_id)).first() is None:
        raise GroupGone


def _locked_ids(sites: QuerySet[Site]) -> list[int]:
    # In the order in which a run locks them, so that neither waits for the other in a circle.
    return list(_lock(sites.order_by("pk")).values_list("pk", flat=True))


def _withdraw_all(sites: QuerySet[Site], ending: OutageSites.Ending, now: datetime) -> None:
    outages.withdraw(_locked_ids(sites), ending, now)


def _stop(site_ids: Collection[int], ending: OutageSites.Ending, now: datetime) -> None:
    outages.withdraw(site_ids, ending, now)
    _restart(site_ids, enabled=False, now=now)


def _restart(site_ids: Collection[int], *, enabled: bool, now: datetime) -> None:
    Site.objects.filter(pk__in=site_ids).update(
        enabled=enabled, state_since=now, state=Site.State.UNKNOWN, failures=0
    )


def _delete_results(site_ids: Collection[int], enough: Callable[[], bool]) -> bool:
    """Delete, step by step, every row that would go with these sites; False where it was enough earlier."""
    for relation in Site._meta.related_objects:
        if relation.on_delete is not CASCADE:
            continue
        model = relation.related_model
        rows = model._base_manager.filter(**{f"{relation.field.name}__in": site_ids}).order_by()
        while rows.exists():
            if enough():
                return False
            began = time.monotonic()
            model._base_manager.filter(pk__in=rows.values("pk")[:RESULTS_TOGETHER]).delete()
            # SQLite's writers do not queue, they try now and then: leave them a third of the time.
            time.sleep((time.monotonic() - began) / 2)
    return True


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
