"""The engine: asks many URLs at once and says of each what came back.

No Django, no database, no strikes. One thread, which waits for all sockets; the modules beside it hold parts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime

from monitor.probe.handles import find_ca_file
from monitor.probe.limits import Limits, apart_within_descriptors, within_descriptors
from monitor.probe.resolver import Resolver
from monitor.probe.results import our_fault
from monitor.probe.run import Run
from monitor.probe.sockets import Sockets
from monitor.probe.trace import Trace
from monitor.probe.transfers import Transfers
from monitor.verdicts import ProbeResult, Target

__all__ = ["Limits", "Trace", "probe_all"]

log = logging.getLogger(__name__)

OnResult = Callable[[ProbeResult], object]
NO_TRACES: Mapping[int, Trace] = {}


def probe_all(
    targets: Iterable[Target],
    limits: Limits,
    on_result: OnResult | None = None,
    traces: Mapping[int, Trace] = NO_TRACES,
) -> list[ProbeResult]:
    """Ask every target once: exactly one result for each, in the order in which they become known.

    Never raises because of a site or a URL; what goes wrong on our own side is INCONCLUSIVE. ``on_result`` is
    called with each result and must be quick, for the sites wait meanwhile; what it raises ends the run and
    goes to the caller. ``traces``, by the keys of targets, are filled with what there was to see.
    """
    found = []
    with closing(_results(targets, limits, traces)) as results:
        for result in results:
            found.append(result)
            if on_result is not None:
                on_result(result)
    return found


def _resolver(sockets: Sockets, limits: Limits) -> Resolver:
    apart = apart_within_descriptors(within_descriptors(limits.concurrency))
    return Resolver(sockets, limits.lookup_limit_s, limits.name_servers, apart)


def _results(
    targets: Iterable[Target], limits: Limits, traces: Mapping[int, Trace]
) -> Generator[ProbeResult]:
    pending = dict(enumerate(targets))  # a target leaves when its result is handed over
    try:
        with (
            closing(Sockets()) as sockets,
            closing(Transfers(sockets, limits.ca_file or find_ca_file())) as transfers,
            closing(_resolver(sockets, limits)) as resolver,
        ):
            yield from Run(pending, limits, sockets, transfers, resolver).results(traces)
    except Exception as error:  # the outermost guard: whatever breaks here is ours, never a site's
        log.exception("The probe engine broke")
        for target in pending.values():
            yield our_fault(target, datetime.now(UTC), error)
