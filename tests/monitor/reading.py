"""How tests read a page: its text, and the queries that go with any page."""

from __future__ import annotations

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


def text(client: Client, url: str, status: int = 200) -> str:
    response = client.get(url)
    assert response.status_code == status
    return response.content.decode()


def count_of_shell(client: Client) -> int:
    """The queries of the frame: who is asking, banners."""
    with CaptureQueriesContext(connection) as captured:
        client.get("/api/docs")
    return len(captured)
