"""Asks every enabled, due site once: what cron and the scheduler start."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from alerts.sending import send_due
from djamon.lib import garbage
from djamon.lib.commands import OneLineCommand
from jobs.errors import AlreadyRunning
from jobs.runner import run_job
from monitor import heartbeat, sweep
from monitor.due import Selection, require, targets
from monitor.verdicts import ProbeResult


class Command(OneLineCommand):
    help = "Ask every enabled, due site once, record the answers, then send the alerts that fall due."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--site", action="append", default=[], metavar="SLUG", help="ask only this site")
        parser.add_argument(
            "--group", action="append", default=[], metavar="SLUG", help="ask only this group"
        )
        parser.add_argument("--dry-run", action="store_true", help="ask and tell, write and send nothing")

    def run(self, *, site: list[str], group: list[str], dry_run: bool, **_options: Any) -> None:
        garbage.search_seldom()
        selection = Selection(tuple(site), tuple(group))
        require(selection)  # a slug that nobody has is the caller's mistake, not a failed run
        if dry_run:
            self.rehearse(selection)
            return
        arguments = {"site": site, "group": group} if site or group else {}
        try:
            line = run_job(
                "probe", lambda context: sweep.sweep(context, selection), arguments=arguments
            ).message
        except AlreadyRunning as busy:
            self.say(f"probe: {busy}")
            return
        heartbeat.beat()
        self.say(f"probe: {line}; {send_due()}")

    def rehearse(self, selection: Selection) -> None:
        """A dry run: each answer on a line; nothing is written."""
        asked = targets(selection, timezone.now())
        seen = sweep.look(asked, lambda _done: None)
        for result in sorted(seen.results, key=lambda result: result.key):
            self.say(line_of(seen.asked[result.key], result))
        doubt = f"; {seen.void}" if seen.void else ""
        self.say(f"probe: {sweep.in_number(len(seen.results))} asked, nothing recorded{doubt}")


def line_of(url: str, result: ProbeResult) -> str:
    return f"{url}: {sweep.WORDS[result.verdict]}, {result.reason}, {result.total_ms:.1f} ms ({result.verb})"
