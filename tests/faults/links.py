"""One end of a network link, by `ip`."""

from __future__ import annotations

import json
import subprocess
import time

LIMIT_S = 5.0
STEP_S = 0.002


def carries(device: str) -> bool:
    """Whether the kernel sends over this device. It learns of a link's return some time after the fact."""
    said = subprocess.run(["ip", "-json", "link", "show", device], capture_output=True, text=True, check=True)
    return bool(json.loads(said.stdout)[0]["operstate"] == "UP")


def wait_until_it_carries(device: str) -> None:
    """Until then all that is sent is dropped, and a connection tries again only after a second."""
    deadline = time.monotonic() + LIMIT_S
    while not carries(device):
        assert time.monotonic() < deadline, f"{device} stays without a carrier"
        time.sleep(STEP_S)
