from __future__ import annotations

from tests.jobs.conftest import Start, finish, read_line, say

PREPARE = """
import logging
from datetime import timedelta
from jobs import recording
from jobs.background import Background
logging.disable(logging.CRITICAL)
run, held = recording.start('sweep', {}, 'command', timezone.now())
def stored(field):
    return JobRun.objects.values_list(field, flat=True).get()
def until(condition):
    for _ in range(500):
        if condition():
            return say('yes')
        time.sleep(0.01)
    say('no')
"""


def test_the_lease_is_renewed_while_the_work_goes_on(start: Start) -> None:
    code = """
renewed = Lease.objects.get().renewed
with Background(run, held, renewal=timedelta(seconds=0.05), step_s=0.01):
    until(lambda: Lease.objects.get().renewed > renewed)
"""
    assert finish(start(PREPARE + code)) == (0, "yes\n")


def test_progress_is_stored_while_the_work_goes_on(start: Start) -> None:
    code = """
with Background(run, held, step_s=0.01) as background:
    background.report(3, 9, 'asking')
    until(lambda: stored('progress_done') == 3 and stored('message') == 'asking')
"""
    assert finish(start(PREPARE + code)) == (0, "yes\n")


def test_a_locked_database_delays_no_progress_call_and_the_lease_is_renewed_after_it(start: Start) -> None:
    code = """
renewed = Lease.objects.get().renewed
say('ready')
sys.stdin.readline()
with Background(run, held, renewal=timedelta(0), step_s=0.01) as background:
    before = time.monotonic()
    for n in range(1000):
        background.report(n, 1000, '')
        time.sleep(0.0005)
    say(time.monotonic() - before < 5)
    sys.stdin.readline()
    until(lambda: Lease.objects.get().renewed > renewed)
"""
    running = start(PREPARE + code, DATABASE_WAIT="0.2")
    assert read_line(running) == "ready"
    locker = start("""
with transaction.atomic():
    Lease.objects.select_for_update().get()
    JobRun.objects.update(trigger='locked')
    say('locked')
    sys.stdin.readline()
""")
    assert read_line(locker) == "locked"
    say(running, "go")
    assert read_line(running) == "True"
    say(locker, "let go")
    assert finish(locker)[0] == 0
    say(running, "see")
    assert finish(running) == (0, "yes\n")
