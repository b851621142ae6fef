"""The one table of periodic work: cron, the built-in scheduler and the jobs page all read it."""

from jobs.periodic import PeriodicJob

JOBS: tuple[PeriodicJob, ...] = (
    PeriodicJob(
        name="probe",
        title="Ask every site that is due",
        # DJ-21..23: every minute in office hours, every five minutes outside them.
        calendar=("*/1 9-16 * * 1-5", "*/5 0-8 * * 1-5", "*/5 17-23 * * 1-5", "*/5 * * * 0,6"),
        command=("probe",),
        when_late="what the pages show is old",
        feeds_pages=True,
    ),
    PeriodicJob(
        name="send_alerts",
        title="Send what waits in the alerts outbox",
        calendar=("* * * * *",),
        command=("send_alerts",),
        when_late="alerts may be late",
    ),
    PeriodicJob(
        name="check_limits",
        title="Judge the limits of timings",
        calendar=("* * * * *",),
        command=("check_limits",),
        when_late="functions that got slow may be told of late",
    ),
    PeriodicJob(
        name="roll_up",
        title="Sum the results of the hours that are over",
        calendar=("7 * * * *",),
        command=("roll_up",),
    ),
    PeriodicJob(
        name="purge",
        title="Delete old results that are summed",
        calendar=("17 3 * * *",),
        command=("purge",),
    ),
    PeriodicJob(
        name="purge_timings",
        title="Delete old timings that are summed",
        calendar=("47 3 * * *",),
        command=("purge_timings",),
    ),
)
