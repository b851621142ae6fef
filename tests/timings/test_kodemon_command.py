"""`manage.py kodemon`: what it takes for a port. The receiver itself: tests/e2e/test_kodemon.py."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command


@pytest.mark.parametrize("word", ["65536", "99999", "-5", "http", ""])
def test_what_is_no_port_is_refused(word):
    with pytest.raises(CommandError, match=r"--port: (.* is no port: 0 to 65535|invalid port value)"):
        call_command("kodemon", f"--port={word}")
