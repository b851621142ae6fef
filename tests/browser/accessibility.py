"""What axe-core finds on a page, and what can be measured without it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Page

# Evaluated through the browser's own debugger, which our content security policy does not bind.
_AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
_RUN = "options => axe.run(document, options)"
GRAVE = {"serious", "critical"}


def violations(page: Page, *rules: str, without: Sequence[str] = ()) -> list[str]:
    """One line for each serious or critical finding, of all rules but some, or of ``rules`` alone."""
    if not page.evaluate("() => typeof window.axe === 'object'"):
        page.evaluate(_AXE)
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    options["rules"] = {rule: {"enabled": False} for rule in without}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    found = page.evaluate(_RUN, options)["violations"]
    return [_line(violation) for violation in found if violation["impact"] in GRAVE]


def _line(violation: dict[str, Any]) -> str:
    nodes = violation["nodes"]
    target, why = nodes[0]["target"], nodes[0]["failureSummary"]
    return f"{violation['id']} at {len(nodes)} places: {target} {nodes[0]['html'][:200]} {why}"


_OVERFLOW = """() => {
    const { clientWidth: width, scrollWidth: wanted } = document.documentElement;
    if (wanted <= width) return "";
    const sticksOut = (one) =>
        one.getBoundingClientRect().right > width + 1 && !one.closest(".table-responsive");
    const found = [...document.querySelectorAll("body *")].filter(sticksOut);
    return `${wanted} > ${width}: ${found.at(-1)?.outerHTML.slice(0, 200)}`;
}"""


def overflow(page: Page) -> str:
    """The last element that makes the page wider than its window; nothing where it fits."""
    return str(page.evaluate(_OVERFLOW))
