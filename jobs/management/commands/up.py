"""Runs the web and the scheduler together in the foreground, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings

from djamon.lib.commands import OneLineCommand
from djamon.lib.signals import Signals
from jobs import services
from jobs.child import Child
from jobs.preflight import refuse_mistakes
from jobs.supervisor import Announcement, Supervisor


class Command(OneLineCommand):
    help = "Run everything in the foreground: web and scheduler. Ctrl-C ends all of it."

    def run(self, **_options: Any) -> None:
        refuse_mistakes(self.name)
        host, port = settings.HOST, settings.PORT
        try:
            services.check_port(host, port)
        except services.CannotListen as error:
            self.stderr.write(str(error))  # the sentence alone: it tells what to type next
            sys.exit(1)
        ready = Announcement(
            f"Djamon runs at {services.address(host, port)} (Ctrl-C ends it)",
            lambda: services.answers(host, port),
        )
        with Signals() as signals:
            children = [Child(service) for service in services.services()]
            Supervisor(children, signals, sys.stdout, ready).run()
