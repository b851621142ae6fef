"""All processes of an installation, as `manage.py up` starts them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from jobs.services import answers
from tests.djamon.streamserver import until
from tests.e2e.conftest import LIMIT_S, Instance
from tests.monitor.servers import closed_port


@contextmanager
def up(instance: Instance, **settings: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """All of it but the scheduler, on a port of its own, open to strangers; until the block ends."""
    port = closed_port()
    process = instance.start("up", PORT=str(port), SCHEDULER="False", PUBLIC_STATUS="True", **settings)
    try:
        assert until(lambda: answers("127.0.0.1", port))
        yield port, process
    finally:
        process.terminate()
        process.communicate(timeout=LIMIT_S)
