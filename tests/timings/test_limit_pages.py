"""The pages of limits: who may see and do what, what a form says, what the ledger shows."""

from __future__ import annotations

import html
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.template.loader import render_to_string
from django.test import Client

from alerts import outbox
from alerts.models import Alert, Attempt, Delivery
from tests.alerts.conftest import Fake
from tests.monitor.test_merging import shown
from timings import limit_editing, limit_queries, limit_watch, messages
from timings.calls import Calls
from timings.limits import Judgement, Minute, Standing, State
from timings.models import Limit
from timings.store import Store
from timings.wire import Sample as Arrived

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 2, 12, 31, 7, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
OVER = Standing(State.OVER, NOW_S, NOW_S)
LIST, ADD = "/timings/limits/", "/timings/limits/add/"
TYPED = {
    "key": "shop.py-buy",
    "token": "",
    "figure": "p95",
    "threshold_ms": "200",
    "minutes": "5",
    "fewest": "1",
}


def make_limit(**fields):
    return Limit.objects.create(**{"key": "shop.py-buy", "threshold_ms": 200, "since": NOW} | fields)


def over(**fields):
    return make_limit(**{"state": "over", "over_since": NOW, "judged": NOW} | fields)


def heard(key="shop.py-buy"):
    Store(10).write(Calls([Arrived(key, "t", NOW_S, 0.1)]))


def text(response) -> str:
    return html.unescape(response.content.decode())


def said(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


@pytest.fixture
def other_client() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("olga", is_staff=True))
    return client


# --- Who may what --------------------------------------------------------------------------------
PAGES = (LIST, "/timings/limits/1/")
FORMS = (ADD, "/timings/limits/1/edit/", "/timings/limits/1/delete/")


@pytest.mark.parametrize("path", [*PAGES, *FORMS])
@pytest.mark.parametrize("public", [True, False])
def test_strangers_see_nothing(path, public, stranger_client, settings):
    settings.PUBLIC_STATUS = public
    make_limit(pk=1)
    answer = stranger_client.get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/")


@pytest.mark.parametrize("path", PAGES)
def test_a_member_reads(path, member_client):
    make_limit(pk=1)
    page = text(member_client.get(path))
    assert "p95 above 200 ms for 5 minutes" in page
    for word in ("Add a limit", "/edit/", "/delete/", "/pause/"):
        assert word not in page


@pytest.mark.parametrize("path", [*FORMS, "/timings/limits/1/pause/"])
def test_a_member_changes_nothing(path, member_client):
    make_limit(pk=1)
    assert member_client.post(path, TYPED | {"value": "pause"}).status_code == 403
    assert Limit.objects.get().enabled


# --- Adding and editing --------------------------------------------------------------------------
def test_staff_add_a_limit(staff_client):
    heard()
    answer = staff_client.post(ADD, TYPED | {"token": "t", "public": "on"})
    limit = Limit.objects.get()
    assert (limit.key, limit.token, limit.figure, limit.threshold_ms) == ("shop.py-buy", "t", "p95", 200)
    assert (limit.minutes, limit.fewest, limit.public, limit.created_by) == (5, 1, True, "sam-staff")
    assert answer["Location"] == limit.get_absolute_url()
    assert len(said(answer)) == 1
    assert "not judged yet" in text(staff_client.get(LIST))


def test_of_a_key_that_nobody_has_sent_it_is_said(staff_client):
    assert "Nothing has been heard" in said(staff_client.post(ADD, TYPED))[1]


@pytest.mark.parametrize(("key", "stored"), [(" f ", "f"), (" known ", " known ")])
def test_blanks_around_a_key_stay_where_a_function_is_called_so(key, stored, staff_client):
    heard(" known ")
    staff_client.post(ADD, TYPED | {"key": key})
    assert Limit.objects.get().key == stored


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("key", "", "This field is required."),
        ("key", "  ", "This field is required."),
        ("key", "x" * 501, "at most 500 characters"),
        ("key", "a\0b", "Null characters are not allowed."),
        ("token", "x" * 201, "at most 200 characters"),
        ("figure", "p42", "Select a valid choice."),
        ("threshold_ms", "", "This field is required."),
        ("threshold_ms", "0", "Take at least 0.001 ms."),
        ("threshold_ms", "-1", "Take at least 0.001 ms."),
        ("threshold_ms", "1e13", "No call takes that long."),
        ("threshold_ms", "nan", "Enter a number."),
        ("threshold_ms", "quick", "Enter a number."),
        ("minutes", "0", "Take 1 minute or more."),
        ("minutes", "-1", "Take 1 minute or more."),
        ("minutes", "1441", "Take at most 1440 minutes, which is a day."),
        ("minutes", "9" * 30, "Take at most 1440 minutes, which is a day."),
        ("minutes", "1.5", "Enter a whole number."),
        ("fewest", "0", "Take 1 call or more."),
        ("fewest", "9" * 12, "Take at most 1000000000 calls."),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_nothing_typed_is_lost(field, value, error, staff_client):
    answer = staff_client.post(ADD, TYPED | {"fewest": "7", field: value})
    assert not Limit.objects.exists()
    assert error in " ".join(answer.context["form"].errors[field])
    page = text(answer)
    assert f'id="id_{field}_error"' in page
    assert f'value="{TYPED["key"] if field != "key" else "7"}"' in page


def test_two_limits_that_say_the_same_are_one_too_many(staff_client):
    make_limit()
    answer = staff_client.post(ADD, TYPED)
    assert "There is a limit that says exactly this." in text(answer)
    assert Limit.objects.count() == 1


def test_there_is_a_most(staff_client):
    Limit.objects.bulk_create(
        Limit(key=f"f{number}", threshold_ms=1, since=NOW) for number in range(limit_editing.MOST_LIMITS)
    )
    answer = staff_client.post(ADD, TYPED)
    assert "There are as many limits as can be judged" in text(answer)
    assert 'value="shop.py-buy"' in text(answer)


def test_a_key_of_the_query_is_filled_in(staff_client):
    page = text(staff_client.get(ADD, {"key": 'a/b "c"'}))
    assert shown_key(page) == 'a/b "c"'


def shown_key(page: str) -> str:
    return page.partition('name="key" value="')[2].partition('" maxlength')[0]


def test_an_edit_begins_anew(staff_client):
    heard()
    limit = make_limit(state="fine", judged=NOW, newest_at=NOW, newest_ms=3, newest_calls=4)
    path = f"{limit.get_absolute_url()}edit/"
    assert (
        staff_client.post(path, shown(staff_client.get(path)) | {"threshold_ms": "250.5"}).status_code == 302
    )
    limit.refresh_from_db()
    assert (limit.threshold_ms, limit.state, limit.judged, limit.version) == (250.5, "unknown", None, 2)


def test_to_post_it_or_not_is_no_new_beginning(staff_client):
    limit = over()
    path = f"{limit.get_absolute_url()}edit/"
    staff_client.post(path, shown(staff_client.get(path)) | {"public": "on"})
    limit.refresh_from_db()
    assert (limit.public, limit.state, limit.over_since) == (True, "over", NOW)
    assert not Alert.objects.exists()


def test_of_two_who_edit_the_same_the_second_sees_both(staff_client, other_client):
    limit = make_limit()
    path = f"{limit.get_absolute_url()}edit/"
    mine, theirs = shown(staff_client.get(path)), shown(other_client.get(path))
    other_client.post(path, theirs | {"threshold_ms": "300", "minutes": "9"})
    answer = staff_client.post(path, mine | {"threshold_ms": "400"})
    assert "Changed meanwhile to <bdi>300.0</bdi> by somebody else." in text(answer)
    assert shown(answer)["threshold_ms"] == "400"
    assert "it stays so: For minutes" in said(answer)[0]
    staff_client.post(path, shown(answer))
    limit.refresh_from_db()
    assert (limit.threshold_ms, limit.minutes) == (400, 9)


def test_an_edit_at_the_very_same_moment_is_refused():
    limit = make_limit()
    Limit.objects.update(version=2)
    with pytest.raises(limit_editing.ChangedMeanwhile):
        limit_editing.edit(limit, ["minutes"], "sam", NOW)


def test_what_was_typed_outlives_the_limit(staff_client):
    limit = make_limit()
    fields = shown(staff_client.get(f"{limit.get_absolute_url()}edit/"))
    Limit.objects.all().delete()
    answer = staff_client.post(f"{limit.get_absolute_url()}edit/", fields | {"minutes": "17"})
    assert answer.status_code == 404
    assert 'action="/timings/limits/add/"' in text(answer)
    assert 'value="17"' in text(answer)


# --- Pausing and deleting ------------------------------------------------------------------------
def test_pause_and_resume(staff_client):
    limit = make_limit(state="fine")
    for value, enabled in (("pause", False), ("pause", False), ("resume", True)):
        staff_client.post(f"{limit.get_absolute_url()}pause/", {"value": value})
        limit.refresh_from_db()
        assert (limit.enabled, limit.state) == (enabled, "unknown")
    assert staff_client.post(f"{limit.get_absolute_url()}pause/", {"value": "x"}).status_code == 400
    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    ("deed", "data", "word"),
    [
        ("pause", {"value": "pause"}, "paused"),
        ("delete", {}, "deleted"),
        ("edit", TYPED | {"minutes": "9"}, "changed"),
    ],
)
def test_who_was_told_that_it_is_over_is_told_that_nobody_tells_its_end(deed, data, word, staff_client):
    limit = over()
    staff_client.post(f"{limit.get_absolute_url()}{deed}/", data)
    alert = Alert.objects.get()
    assert (alert.reference, alert.subject) == (f"limit:{limit.pk}", "No longer watched: p95 of shop.py-buy")
    assert f"The limit was {word} by sam-staff" in alert.text
    assert not Limit.objects.filter(state="over").exists()


# --- What pages show -----------------------------------------------------------------------------
def test_without_limits_the_list_says_what_to_do(staff_client, member_client):
    assert "Add the first limit" in text(staff_client.get(LIST))
    assert "Staff can add one." in text(member_client.get(LIST))
    assert "This function has no limit." in text(staff_client.get(LIST, {"key": "f"}))


def test_the_list_is_narrowed_to_a_key(member_client):
    make_limit(key="a/b")
    make_limit(key="c")
    page = text(member_client.get(LIST, {"key": "a/b"}))
    assert "/timings/a/b" in page
    assert "/timings/c" not in page


def test_what_is_over_comes_first():
    for key, state in (("a", "fine"), ("b", "over"), ("c", "unknown")):
        make_limit(key=key, state=state)
    assert [limit.key for limit in limit_queries.found()] == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "not judged yet"),
        ({"judged": NOW}, "not known: no calls"),
        ({"state": "fine", "judged": NOW}, "fine"),
        ({"state": "over", "judged": NOW}, "over"),
        ({"enabled": False, "state": "over"}, "paused"),
    ],
)
def test_a_state_is_a_word(fields, word, member_client):
    limit = make_limit(newest_ms=312.49, newest_calls=85, newest_at=NOW, **fields)
    for path in (LIST, limit.get_absolute_url()):
        page = text(member_client.get(path))
        assert f">{word}</span>" in page
        assert "312.5 ms (85 calls)" in page


@pytest.mark.parametrize("count", [1, 30])
def test_pages_ask_as_often_however_many(count, member_client, django_assert_num_queries):
    limit = make_limit()
    for number in range(count):
        make_limit(key=f"f{number}")
        alert = outbox.enqueue(messages.exceeded(limit, Judgement(OVER)), NOW, [Fake()])
        Attempt.objects.create(delivery=alert.deliveries.get(), at=NOW, ok=True, result="sent")
    frame = 6  # session, user, banners
    with django_assert_num_queries(frame + 2):
        member_client.get(LIST)
    with django_assert_num_queries(frame + 5):
        member_client.get(limit.get_absolute_url())


def test_every_attempt_stands_on_the_page_of_the_limit(member_client):
    limit = over()
    fake = Fake(to=["ops@example.org", "boss@example.org"])
    outbox.enqueue(messages.exceeded(limit, Judgement(OVER)), NOW, [fake])
    first, second = Delivery.objects.order_by("pk")
    Attempt.objects.create(delivery=first, at=NOW, ok=False, result="greylisted", elapsed_ms=12)
    Attempt.objects.create(delivery=first, at=NOW + timedelta(minutes=1), ok=True, result="250 Queued")
    Delivery.objects.filter(pk=first.pk).update(state="sent")
    Delivery.objects.filter(pk=second.pk).update(last_result="put off: no server")
    page = " ".join(text(member_client.get(limit.get_absolute_url())).split())
    assert "Slow: p95 of shop.py-buy is above 200 ms" in page
    assert (
        'E-mail to <bdi>ops@example.org</bdi>: <span class="text-down" dir="auto">greylisted</span> (12 ms)'
        in page
    )
    assert '<span class="text-up" dir="auto">250 Queued</span>' in page
    assert "E-mail to <bdi>boss@example.org</bdi>: <strong>waiting</strong>, next try" in page
    assert "put off: no server" in page


def test_the_limits_of_a_key_for_its_page(staff, rf):
    make_limit(key="a b", token="t")
    request = rf.get("/")
    request.user = staff
    page = html.unescape(
        render_to_string(
            "timings/_limits_of_key.html",
            {"key": "a b", "limits": limit_queries.of_key("a b"), "user": staff},
            request=request,
        )
    )
    assert "p95 above 200 ms for 5 minutes" in page
    assert 'href="/timings/limits/add/?key=a%20b"' in page
    assert limit_queries.of_key("a") == limit_queries.of_key("\0") == []


# --- Banners -------------------------------------------------------------------------------------
def test_all_pages_say_that_a_limit_is_over():
    over()
    over(enabled=False)
    make_limit(state="fine")
    assert [banner.text for banner in limit_watch.banners(NOW)] == [
        "p95 of shop.py-buy is above 200 ms since 12:31."
    ]


def test_many_limits_that_are_over_are_one_banner():
    for days in (0, 2, 1):
        over(over_since=NOW - timedelta(days=days))
    assert [banner.text for banner in limit_watch.banners(NOW)] == [
        "3 limits of timings are exceeded, the first since 2026-10-31 12:31."
    ]


def test_strangers_are_told_of_no_limit():
    over()
    assert [banner.for_strangers() for banner in limit_watch.banners(NOW)] == [None]


# --- Messages ------------------------------------------------------------------------------------
SEEN = Judgement(OVER, None, Minute(NOW_S - 67, 85, 312.49), Minute(NOW_S - 187, 1, 1540.2))


def test_what_a_mail_says(settings):
    settings.SITE_URL = "https://djamon.example.org"
    draft = messages.exceeded(over(pk=3, key="a/b c.py-f", created_by="sam", fewest=2), SEEN)
    assert draft.subject == "Slow: p95 of a/b c.py-f is above 200 ms"
    assert draft.text == (
        "p95 of a/b c.py-f is above 200 ms since 2026-11-02 12:31 UTC.\n\n"
        "In the minute from 12:30: 312.5 ms (85 calls).\n\n"
        "Highest in the minute from 12:28: 1,540 ms (1 call).\n\n"
        "The limit: p95 above 200 ms for 5 minutes, of minutes with at least 2 calls, set by sam.\n\n"
        "The function: https://djamon.example.org/timings/a/b%20c.py-f\n\n"
        "The limit, and who was told: https://djamon.example.org/timings/limits/3/\n"
    )
    assert '<a href="https://djamon.example.org/timings/a/b%20c.py-f">' in draft.html
    assert draft.public is None


def test_the_end_says_how_long_it_lasted():
    limit = make_limit(state="fine", since=NOW + timedelta(minutes=23))
    draft = messages.fine_again(limit, NOW, SEEN)
    assert draft.subject == "Fine again after 23 minutes: p95 of shop.py-buy"
    assert "for 23 minutes: from 2026-11-02 12:31 UTC to 2026-11-02 12:54 UTC." in draft.text


def test_a_silence_claims_nothing():
    draft = messages.unheard(over(newest_at=NOW, public=True), NOW, NOW)
    assert "No call of shop.py-buy was heard since 2026-11-02 12:31 UTC. So whether" in draft.text
    assert "The receiver's last sign is of 2026-11-02 12:31 UTC." in draft.text
    assert draft.public == "Not known any more: p95 of shop.py-buy"


HOSTILE = {
    "markup": ("<script>alert(1)</script>", "%3Cscript%3Ealert(1)%3C/script%3E"),
    "mention": ("@everyone #now", "%40everyone %23now"),
    "link": ("http://evil.example/x", "http%3A//evil%2Eexample/x"),
    "a-bare-name": ("evil.com", "evil%2Ecom"),
    "a-file": ("shop.py-buy", "shop.py-buy"),
    "turned-around": ("a\u202eb", "a%EF%BF%BDb"),
    "line-ends": ("a\r\nb", "a%EF%BF%BD%EF%BF%BDb"),
    "letters": ("straße.py-größe", "straße.py-größe"),
}


@pytest.mark.parametrize(("key", "name"), HOSTILE.values(), ids=HOSTILE)
def test_a_post_names_no_key_that_does_more_than_name(key, name):
    draft = messages.exceeded(make_limit(key=key, public=True, token="hidden"), SEEN)
    assert draft.public == f"Slow: p95 of {name} is above 200 ms: 312.5 ms"
    assert "<script>" not in draft.html
    assert "\u202e" not in draft.text + draft.subject + draft.html


def test_a_post_is_never_too_long():
    draft = messages.exceeded(make_limit(key="x" * 500, public=True), SEEN)
    assert draft.public is not None
    assert len(draft.public) == 280
    assert len(draft.subject) < 120
