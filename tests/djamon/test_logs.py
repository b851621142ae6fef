"""What a refused request leaves in the log: one line. A fault of ours keeps its traceback."""

from __future__ import annotations

import logging

import pytest
from django.test import Client


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        pytest.param("/no/such/page/", "testserver", 404, id="404"),
        pytest.param("/", "foreign.example", 400, id="foreign-host"),
        pytest.param("/jobs/probe/run/", "testserver", 403, id="a-members-click"),
    ],
)
def test_a_refusal_is_one_line(
    member_client: Client, caplog: pytest.LogCaptureFixture, path: str, host: str, status: int
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = (
            member_client.post(path, headers={"host": host})
            if status == 403
            else member_client.get(path, headers={"host": host})
        )
    assert answer.status_code == status
    assert len(caplog.records) >= 1
    assert "Traceback" not in caplog.text


@pytest.mark.django_db
def test_a_fault_of_ours_keeps_its_traceback(
    stranger_client: Client, caplog: pytest.LogCaptureFixture, settings
) -> None:
    settings.ROOT_URLCONF = "tests.djamon.faulty_urls"
    stranger_client.raise_request_exception = False
    assert stranger_client.get("/fault/").status_code == 500
    assert "ZeroDivisionError" in caplog.text
    assert "Traceback" in caplog.text
