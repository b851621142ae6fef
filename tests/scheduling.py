"""Which tests go to one process: those of a file, and those of a package that share what is dear to make."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadFileScheduling

TOGETHER = ("tests/browser/",)  # a browser, and installations that are filled once for all of them


class ByPackage(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    def _split_scope(self, nodeid: str) -> str:
        return next(
            (package for package in TOGETHER if nodeid.startswith(package)), super()._split_scope(nodeid)
        )


def scheduler(config: Any, log: Any) -> ByPackage | None:
    """In place of ``--dist loadfile``; None leaves the others alone."""
    return ByPackage(config, log) if config.getoption("dist") == "loadfile" else None
