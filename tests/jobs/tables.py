"""Tables for PERIODIC_JOBS in tests."""

from jobs.periodic import PeriodicJob

BAD = (PeriodicJob("bad", "Never due", ("61 * * * *",), ("help",)),)
MARKER: tuple[PeriodicJob, ...] = ()  # filled by the test that starts it
TWO = (
    PeriodicJob("sweep", "Look after everything", ("*/5 * * * *",), ("help",), "what is shown is old", True),
    PeriodicJob("nightly", "Tidy up at night", ("30 2 * * *",), ("help",)),
)
