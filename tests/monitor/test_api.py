"""The JSON: who gets it, its exact shape, and that /api/openapi.json describes what really comes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from accounts import tokens
from monitor.api import GroupOut, SiteOut
from monitor.verdicts import Verdict
from tests.monitor.factories import make_down, make_group, make_site, make_up, make_view, make_views

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def urls() -> list[str]:
    site = make_up(NOW, slug="shop", group=make_group(slug="web"))
    make_view(site, NOW)
    return ["/group/web/data.json", "/site/shop/data.json"]


def test_the_names_of_the_urls() -> None:
    assert reverse("group_data", args=["web"]) == "/group/web/data.json"
    assert reverse("site_data", args=["shop"]) == "/site/shop/data.json"
    assert reverse("openapi") == "/api/openapi.json"
    assert reverse("api_docs") == "/api/docs"


def test_a_groups_sites(member_client) -> None:
    group = make_group(name="Web <b>", slug="web")
    site = make_down(NOW, name="Shop", slug="shop", group=group, url="http://x/", last_checked=NOW)
    assert member_client.get("/group/web/data.json").json() == {
        "group": "Web <b>",
        "slug": "web",
        "sites": [
            {
                "id": site.pk,
                "name": "Shop",
                "slug": "shop",
                "url": "http://x/",
                "state": "down",
                "up": False,
                "status": None,
                "last_checked": "2026-11-02T09:00:00Z",
            }
        ],
    }


@pytest.mark.parametrize(
    ("fields", "state", "up", "status"),
    [
        ({}, "up", True, 200),
        ({"enabled": False}, "paused", None, 200),
        ({"last_verdict": Verdict.INCONCLUSIVE, "last_code": None}, "up", None, None),
        ({"state": "failing", "last_verdict": Verdict.DOWN, "last_code": 503}, "failing", False, 503),
    ],
    ids=["up", "paused", "inconclusive", "failing"],
)
def test_the_state_of_a_site(member_client, fields, state, up, status) -> None:
    make_up(group=make_group(slug="web"), **fields)
    (site,) = member_client.get("/group/web/data.json").json()["sites"]
    assert (site["state"], site["up"], site["status"]) == (state, up, status)


def test_a_site_that_was_never_asked(member_client) -> None:
    make_site(group=make_group(slug="web"))
    (site,) = member_client.get("/group/web/data.json").json()["sites"]
    assert (site["state"], site["up"], site["last_checked"]) == ("unknown", None, None)


def test_a_sites_last_requests(member_client) -> None:
    view = make_view(make_up(name="Shop", slug="shop"), NOW, total_ms=12.34567)
    assert member_client.get("/site/shop/data.json").json() == {
        "site": "Shop",
        "slug": "shop",
        "views": [
            {
                "id": str(view.pk),
                "date": "2026-11-02T09:00:00Z",
                "code": 200,
                "up": True,
                "verdict": "up",
                "reason": "HTTP 200 OK",
                "ms": 12.346,
                "verb": "HEAD",
            }
        ],
    }


def test_people_with_a_login_may_ask_and_strangers_get_401(urls, member_client, stranger_client) -> None:
    for url in urls:
        assert member_client.get(url).status_code == 200
        refusal = stranger_client.get(url)
        assert (refusal.status_code, list(refusal.json())) == (401, ["error"])


def test_public_status_opens_what_is_not_internal(urls, stranger_client, settings) -> None:
    settings.PUBLIC_STATUS = True
    make_up(slug="wiki", group=make_group(slug="intra", internal=True))
    assert {stranger_client.get(url).status_code for url in urls} == {200}
    for url in ("/group/intra/data.json", "/site/wiki/data.json"):
        assert stranger_client.get(url).status_code == 404


@pytest.mark.parametrize(("scope", "status"), [("read", 200), ("admin", 200), ("push", 403)])
def test_a_token_opens_the_json_if_it_may_read(urls, member, scope, status) -> None:
    _, secret = tokens.create(member, "script", [scope])
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    for url in [*urls, "/api/openapi.json"]:
        assert client.get(url).status_code == status


def test_a_wrong_token_is_401_even_where_the_status_is_public(urls, settings) -> None:
    settings.PUBLIC_STATUS = True
    client = Client(headers={"Authorization": "Bearer dj_wrong"})
    assert {client.get(url).status_code for url in urls} == {401}


@pytest.mark.parametrize("slug", ["none", "%00", "a b", "%F0%9F%9A%80"])
@pytest.mark.parametrize("kind", ["group", "site"])
def test_what_is_not_there_is_404_in_json(member_client, kind, slug) -> None:
    response = member_client.get(f"/{kind}/{slug}/data.json")
    assert response.status_code == 404
    assert response.json() == {"error": f"There is no {kind} with this slug."}


def test_other_methods_are_refused_in_json(urls, member_client) -> None:
    for url in urls:
        response = member_client.post(url)
        assert (response.status_code, response["Allow"]) == (405, "GET")
        assert response.json() == {"error": "POST is not possible here."}
        assert member_client.head(url).status_code == 200


def test_answers_are_never_cached(urls, member_client) -> None:
    for url in urls:
        assert "no-store" in member_client.get(url)["Cache-Control"]


@pytest.mark.parametrize("sites", [1, 30])
def test_the_number_of_queries_does_not_grow(member_client, django_assert_num_queries, sites) -> None:
    group = make_group(slug="web")
    site = make_up(slug="shop", group=group)
    for _ in range(sites):
        make_up(group=group)
    make_views(site, sites)
    with django_assert_num_queries(4):  # session, user, the row, its children
        member_client.get("/group/web/data.json")
    with django_assert_num_queries(4):
        member_client.get("/site/shop/data.json")


# --- The description -----------------------------------------------------------------------------
def test_the_description_names_every_endpoint_and_its_refusals(member_client) -> None:
    described = member_client.get("/api/openapi.json").json()
    assert set(described["paths"]) >= {"/group/{slug}/data.json", "/site/{slug}/data.json"}
    for path in described["paths"].values():
        assert set(path["get"]["responses"]) >= {"200", "401", "403", "404"}
    assert set(described["components"]["securitySchemes"]) == {"token", "session"}


def test_answers_are_as_described(urls, member_client) -> None:
    group, site = (member_client.get(url).json() for url in urls)
    assert GroupOut.model_validate(group).model_dump(mode="json") == group
    assert SiteOut.model_validate(site).model_dump(mode="json") == site


def test_the_page_of_the_description_needs_a_login(member_client, stranger_client, settings) -> None:
    settings.PUBLIC_STATUS = True
    assert stranger_client.get("/api/docs")["Location"] == "/login/?next=/api/docs"
    response = member_client.get("/api/docs")
    assert 'data-url="/api/openapi.json"' in response.content.decode()
    assert "unsafe-inline" not in response["Content-Security-Policy"]
