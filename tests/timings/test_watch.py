"""The receivers' figures in /metrics."""

from __future__ import annotations

import pytest
from django.utils import timezone

from timings.models import Receiver

pytestmark = pytest.mark.django_db


def test_figures_are_told_by_address(client):
    now = timezone.now()
    Receiver.objects.create(
        address="127.0.0.1:4000",
        started=now,
        updated=now,
        received=9,
        stored=7,
        refused={"not JSON": 2},
        queued=3,
    )
    told = client.get("/metrics").content.decode()
    for line in (
        'djamon_timings_received_total{address="127.0.0.1:4000"} 9.0',
        'djamon_timings_stored_total{address="127.0.0.1:4000"} 7.0',
        'djamon_timings_refused_total{address="127.0.0.1:4000",reason="not JSON"} 2.0',
        'djamon_timings_queued{address="127.0.0.1:4000"} 3.0',
    ):
        assert line in told
