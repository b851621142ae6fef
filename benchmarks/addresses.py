"""As many distinct addresses of this machine's loopback as there are sites, and the rows of those sites."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.installation import Installation

PER_GROUP = 500


def address(number: int) -> str:
    """127.1.0.1, 127.1.0.2, … : every address of 127.0.0.0/8 is this machine's own."""
    return f"127.{1 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"


def add_sites(installation: Installation, urls: Sequence[str]) -> None:
    """Sites that were never asked, in groups of 500."""
    groups = range(1, -(-len(urls) // PER_GROUP) + 1)
    with installation.connect() as connection:
        mark = "?" if installation.is_sqlite else "%s"
        connection.execute("BEGIN")
        cursor = connection.cursor()
        cursor.executemany(
            f"INSERT INTO monitor_group (id, name, slug, internal) VALUES ({', '.join([mark] * 4)})",
            [(pk, f"Group {pk}", f"group-{pk}", False) for pk in groups],
        )
        fixed = {"enabled": True, "good_codes": "", "get_fallback": False, "state": "unknown"}
        fixed |= {"failures": 0, "last_reason": "", "recent": ""}
        columns = ("id", "group_id", "name", "slug", "url", *fixed)
        cursor.executemany(
            f"INSERT INTO monitor_site ({', '.join(columns)}) VALUES ({', '.join([mark] * len(columns))})",
            [
                (pk, (pk - 1) // PER_GROUP + 1, f"Site {pk}", f"site-{pk}", url, *fixed.values())
                for pk, url in enumerate(urls, 1)
            ],
        )
        connection.execute("COMMIT")
