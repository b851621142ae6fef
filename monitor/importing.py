"""Writes the sites of a CSV file: all of it or, unless told to skip what is bad, nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from monitor.csvfiles import Entry, Parsed, Refusal, about
from monitor.models import Group, Site
from monitor.slugpool import SlugPool

BATCH = 500


@dataclass(slots=True)
class Plan:
    """What an import would write; groups by their name, sites with the group's name."""

    groups: dict[str, Group] = field(default_factory=dict)
    sites: list[tuple[str, Site]] = field(default_factory=list)
    unchanged: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{_count(len(self.sites), 'site')} added, {_count(len(self.groups), 'group')} added, "
            f"{self.unchanged} unchanged, {len(self.refusals)} refused"
        )


def import_sites(parsed: Parsed, *, skip_bad: bool = False, dry_run: bool = False) -> Plan:
    """Add what is new, in one transaction; returns what was, or with ``dry_run`` would be, written.

    A site that stands there already with the same data is left alone; with other data its row is refused.
    With refusals and without ``skip_bad`` nothing is written: the plan's ``refusals`` say why.
    """
    with transaction.atomic():
        plan = _plan(parsed)
        if not dry_run and (skip_bad or not plan.refusals):
            _write(plan)
    return plan


def _plan(parsed: Parsed) -> Plan:
    stored = {group.name: group for group in Group.objects.all()}
    known = _known_sites(stored.values())
    plan = Plan(refusals=list(parsed.refusals))
    spellings = {name.casefold(): name for name in stored}
    for entry in parsed.entries:
        group = stored.get(entry.group) or plan.groups.get(entry.group)
        reason = (
            _spelling_conflict(entry, group, spellings)
            or _group_conflict(entry, group)
            or _site_conflict(entry, known.get(entry.key))
        )
        if reason:
            plan.refusals.append(Refusal(entry.line, reason))
        elif entry.key in known:
            plan.unchanged += 1
        else:
            if group is None:
                spellings[entry.group.casefold()] = entry.group
                plan.groups[entry.group] = Group(name=entry.group, internal=bool(entry.internal))
            plan.sites.append((entry.group, Site(**entry.values)))
    plan.refusals.sort(key=lambda refusal: refusal.line)
    return plan


def _known_sites(groups: Iterable[Group]) -> dict[tuple[str, str], dict[str, Any]]:
    names = {group.pk: group.name for group in groups}
    columns = ("group_id", "name", "url", "interval_min", "good_codes", "get_fallback", "enabled")
    return {(names[row["group_id"]], row["name"]): row for row in Site.objects.values(*columns).iterator()}


def _spelling_conflict(entry: Entry, group: Group | None, spellings: Mapping[str, str]) -> str:
    """Many names at once: the rule of monitor.names by one look-up each."""
    other = spellings.get(entry.group.casefold()) if group is None else None
    return (
        about("group", entry.group, f"there is a group {other}, which differs in upper and lower case alone")
        if other
        else ""
    )


def _group_conflict(entry: Entry, group: Group | None) -> str:
    if group is None or entry.internal in (None, group.internal):
        return ""
    marked = "marked internal" if group.internal else "not marked internal"
    return about("internal", "yes" if entry.internal else "no", f"the group {entry.group} is {marked}")


def _site_conflict(entry: Entry, stored: dict[str, Any] | None) -> str:
    if stored is None:
        return ""
    for column, value in entry.values.items():
        if stored[column] != value:
            what = "URL" if column == "url" else column
            return about("name", entry.values["name"], f"exists with another {what}: {stored[column]}")
    return ""


def _write(plan: Plan) -> None:
    slugs = SlugPool(Group)
    for group in plan.groups.values():
        slugs.assign(group)
    Group.objects.bulk_create(plan.groups.values(), batch_size=BATCH)
    groups = dict(Group.objects.values_list("name", "pk"))
    slugs = SlugPool(Site)
    for group_name, site in plan.sites:
        site.group_id = groups[group_name]
        slugs.assign(site)
    Site.objects.bulk_create([site for _, site in plan.sites], batch_size=BATCH)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
