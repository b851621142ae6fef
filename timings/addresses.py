"""Where the pages of a key are. Pure."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

LIST = "/timings/"
# Browsers and proxies fold such parts of a path, and limits have pages there.
NOT_IN_PATH = re.compile(r"[\x00-\x1f\x7f\\]|^/|//|(^|/)\.{1,2}(/|$)|^limits/|^$")


def path_of(key: str, **query: str) -> str:
    """The page of a key, which may hold any sign; ``query`` are further parameters, empty ones left out."""
    in_path = NOT_IN_PATH.search(key) is None
    asked = urlencode(
        {**({} if in_path else {"key": key}), **{name: word for name, word in query.items() if word}}
    )
    path = f"{LIST}{quote(key, safe='/')}" if in_path else LIST
    return f"{path}?{asked}" if asked else path
