"""What can go wrong with a job, all with one line for the operator.

DjamonError
├── AlreadyRunning: an equal job holds the lease
├── LeaseLost: our lease ran out or was taken over; nothing may be written under it any more
├── LocalFault: our own surroundings failed (no connection, no resolver): the run says nothing of its subject
└── BadCalendar: a cron expression in the table cannot be read
"""

from __future__ import annotations

from djamon.lib.commands import DjamonError


class AlreadyRunning(DjamonError):  # noqa: N818  (the names say what is, as values do)
    """An equal job is running; the message says which run, since when and where."""


class LeaseLost(DjamonError):  # noqa: N818
    """The lease ran out or was taken over while the run went on."""


class LocalFault(DjamonError):  # noqa: N818
    """Our own surroundings failed; the message is shown on the pages as the reason."""


class BadCalendar(DjamonError):  # noqa: N818
    """A cron expression that cannot be read."""
