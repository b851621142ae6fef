"""schemathesis at every JSON endpoint of /api/openapi.json, with the whole stack behind it: no 500, ever.

What an answer looks like is compared with the description, too: its status, its type, its body.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from accounts import tokens
from djamon.api import api
from tests.faults.limits import FULL
from tests.monitor.factories import make_group, make_outage, make_up, make_views
from timings.calls import Calls
from timings.store import Store
from timings.wire import Sample

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
EXAMPLES = 500 if FULL else 10

schema = schemathesis.openapi.from_dict(api.get_openapi_schema(path_prefix=""))
schema.app = WSGIHandler()


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """As Django's test client does: the test's transaction is in a connection that no request may end."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def secret(member: User) -> str:
    site = make_up(slug="shop", group=make_group(slug="shop"))
    make_views(site, 3)
    make_outage(site)
    return tokens.create(member, "fuzzer", ["read"])[1]


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@pytest.mark.django_db
def test_no_request_to_the_api_breaks_the_server(case: Any, secret: str) -> None:
    headers = {"Authorization": f"Bearer {secret}", "Host": "localhost", "Accept-Encoding": "identity"}
    case.headers = {**(case.headers or {}), **headers}
    response = case.call(base_url="http://localhost")
    case.validate_response(
        response, checks=(not_a_server_error, content_type_conformance, response_schema_conformance)
    )


@pytest.mark.django_db
def test_each_endpoint_answers_where_there_is_something(secret: str, client: Any) -> None:
    Store(1000).write(Calls([Sample("shop", "t", int(time.time()), 0.25)]))
    for path in schema.raw_schema["paths"]:
        filled = path.replace("{slug}", "shop").replace("{key}", "shop")
        answer = client.get(filled, {"key": "shop"}, HTTP_AUTHORIZATION=f"Bearer {secret}")
        assert answer.status_code == 200, path
