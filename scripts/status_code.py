"""One URL, one status code: the engine of the probes for scripts and shells, without Django's settings."""

from __future__ import annotations

from monitor.probe import Limits, probe_all
from monitor.probe.reasons import too_slow
from monitor.verdicts import Target

TIMEOUT_S = 5.0
SERVER_ERROR = 500  # what a server that does not answer in time counts as (DJ-32)


def get_status_code(url: object, timeout_s: float = TIMEOUT_S) -> int | None:
    """The code that a HEAD request to ``url`` brings (DJ-31 to DJ-34); redirects are not followed.

    500 where no headers come within ``timeout_s`` in total, connecting included. None where nobody answers:
    unreachable, refused, unresolvable, malformed, not a text. Never raises.
    """
    if not isinstance(url, str):
        return None
    limits = Limits(timeout_s=timeout_s, concurrency=1)
    (result,) = probe_all([Target(0, url, frozenset())], limits)
    if result.code is None and too_slow(result.reason):
        return SERVER_ERROR
    return result.code
