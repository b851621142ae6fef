"""Notes: who may write, edit and delete them, by the functions and by the pages; what a text may hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from monitor import notes
from monitor.models import Outage, OutageNote
from tests.monitor.factories import make_down, make_outage
from tests.monitor.reading import text

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def outage() -> Outage:
    return make_outage(make_down(name="shop"), opened_at=NOW)


@pytest.fixture
def note(outage, staff) -> OutageNote:
    return notes.add(outage, staff, "The disk was full.", NOW)


@pytest.fixture
def colleague() -> User:
    return User.objects.create_user("colin-colleague", is_staff=True)


@pytest.fixture
def colleague_client(colleague) -> Client:
    client = Client()
    client.force_login(colleague)
    return client


def stored(note: OutageNote) -> tuple[str, datetime | None]:
    return OutageNote.objects.values_list("text", "edited").get(pk=note.pk)


# --- The rules -----------------------------------------------------------------------------------
def test_a_note_has_its_author_and_time(note, staff) -> None:
    assert (note.author, note.author_name, note.created, note.edited) == (staff, "sam-staff", NOW, None)


def test_an_edit_is_marked(note, staff) -> None:
    notes.edit(note, staff, "It was the cable.", LATER)
    assert stored(note) == ("It was the cable.", LATER)


def test_saving_the_same_text_is_no_edit(note, staff) -> None:
    notes.edit(note, staff, note.text, LATER)
    assert stored(note) == (note.text, None)


def test_what_was_deleted_meanwhile_is_not_edited(note, staff, staff_client) -> None:
    url = reverse("note_edit", args=[note.pk])
    OutageNote.objects.all().delete()
    with pytest.raises(OutageNote.DoesNotExist):
        notes.edit(note, staff, "Too late.", LATER)
    assert staff_client.post(url, {"text": "Too late."}).status_code == 404


def test_only_the_author_edits(note, colleague, member) -> None:
    for user in (colleague, member):
        with pytest.raises(PermissionDenied):
            notes.edit(note, user, "I know better.", LATER)
    assert stored(note) == ("The disk was full.", None)


def test_an_author_who_left_the_staff_edits_no_more(note, staff) -> None:
    staff.is_staff = False
    with pytest.raises(PermissionDenied):
        notes.edit(note, staff, "Still me.", LATER)


def test_any_staff_deletes_but_no_member(note, colleague, member) -> None:
    with pytest.raises(PermissionDenied):
        notes.delete(note, member)
    notes.delete(note, colleague)
    assert not OutageNote.objects.exists()


def test_members_write_none(outage, member) -> None:
    with pytest.raises(PermissionDenied):
        notes.add(outage, member, "Hello.", NOW)


def test_a_note_outlives_its_author(note, staff, member_client) -> None:
    staff.delete()
    page = text(member_client, note.outage.get_absolute_url())
    assert "sam-staff" in page
    assert "The disk was full." in page


# --- The pages -----------------------------------------------------------------------------------
def add(client: Client, outage: Outage, words: str):
    return client.post(reverse("note_add", args=[outage.pk]), {"text": words})


def test_staff_add_and_are_led_to_the_note(outage, staff_client) -> None:
    response = add(staff_client, outage, "  Called the hoster.\r\nThey know.  ")
    note = OutageNote.objects.get()
    assert note.text == "Called the hoster.\nThey know."
    assert response["Location"] == f"/outage/{outage.pk}/?line=1#note-{note.pk}"
    page = text(staff_client, outage.get_absolute_url())
    assert "Called the hoster.\nThey know." in page
    assert f'id="note-{note.pk}"' in page


def test_on_a_long_line_the_way_leads_to_the_page_of_the_note(outage, staff, staff_client) -> None:
    for number in range(150):
        notes.add(outage, staff, f"note {number}", NOW + timedelta(minutes=number))
    first = OutageNote.objects.get(text="note 0")
    last = OutageNote.objects.get(text="note 149")
    edit = text(staff_client, reverse("note_edit", args=[last.pk]))
    assert f"?line=2#note-{last.pk}" in edit
    assert f"?line=1#note-{first.pk}" in text(staff_client, reverse("note_edit", args=[first.pk]))
    page = text(staff_client, f"{outage.get_absolute_url()}?line=2")
    assert f'id="note-{last.pk}"' in page
    assert f'id="note-{first.pk}"' not in page


def test_the_author_edits_and_the_page_says_so(note, staff_client) -> None:
    url = reverse("note_edit", args=[note.pk])
    assert "The disk was full.</textarea>" in text(staff_client, url)
    assert staff_client.post(url, {"text": "The disk was slow."}).status_code == 302
    page = text(staff_client, note.outage.get_absolute_url())
    assert "The disk was slow." in page
    assert ", edited " in page


def test_a_note_is_deleted_after_a_question(note, colleague_client) -> None:
    url = reverse("note_delete", args=[note.pk])
    assert "The disk was full." in text(colleague_client, url)
    assert OutageNote.objects.exists()
    assert colleague_client.post(url)["Location"] == note.outage.get_absolute_url()
    assert not OutageNote.objects.exists()


def test_a_colleague_is_offered_deleting_alone(note, colleague_client) -> None:
    page = text(colleague_client, note.outage.get_absolute_url())
    assert reverse("note_delete", args=[note.pk]) in page
    assert reverse("note_edit", args=[note.pk]) not in page
    assert colleague_client.get(reverse("note_edit", args=[note.pk])).status_code == 403
    assert colleague_client.post(reverse("note_edit", args=[note.pk]), {"text": "x"}).status_code == 403


def test_members_read_without_the_ways_to_change(note, member_client) -> None:
    page = text(member_client, note.outage.get_absolute_url())
    assert "The disk was full." in page
    assert "/manage/" not in page
    assert "<textarea" not in page


def test_strangers_see_no_notes(note, stranger_client, settings) -> None:
    settings.PUBLIC_STATUS = True
    page = text(stranger_client, note.outage.get_absolute_url())
    assert "shop" in page
    for words in ("The disk was full.", "sam-staff", "<textarea"):
        assert words not in page


@pytest.mark.parametrize("name", ["note_add", "note_edit", "note_delete"])
def test_nobody_else_changes_notes(note, member_client, stranger_client, settings, name) -> None:
    settings.PUBLIC_STATUS = True
    url = reverse(name, args=[note.outage_id if name == "note_add" else note.pk])
    assert (member_client.get(url).status_code, stranger_client.get(url).status_code) == (403, 302)
    for client in (member_client, stranger_client):
        assert client.post(url, {"text": "Taken over"}).status_code == 403
    assert stored(note) == ("The disk was full.", None)
    assert OutageNote.objects.count() == 1


@pytest.mark.parametrize("name", ["note_add", "note_edit", "note_delete"])
def test_changes_want_their_token(note, staff, name) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    url = reverse(name, args=[note.outage_id if name == "note_add" else note.pk])
    assert client.post(url, {"text": "Forged"}).status_code == 403
    assert stored(note) == ("The disk was full.", None)
    assert OutageNote.objects.count() == 1


@pytest.mark.parametrize("name", ["note_add", "note_edit", "note_delete"])
@pytest.mark.parametrize("pk", [10**6, 10**30])
def test_what_is_not_there_is_404(staff_client, name, pk) -> None:
    assert staff_client.get(reverse(name, args=[pk])).status_code == 404
    assert staff_client.post(reverse(name, args=[pk]), {"text": "x"}).status_code == 404


# --- Texts ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("", "This field is required."),
        (" \r\n\t", "This field is required."),
        ("x" * 4001, "has at most 4000 characters; this one has 4001."),
        ("a\0b", "Null characters are not allowed."),
    ],
    ids=["empty", "blank", "too long", "NUL"],
)
def test_what_is_no_note_is_said_and_nothing_is_lost(outage, staff_client, words, complaint) -> None:
    response = add(staff_client, outage, words)
    assert response.status_code == 200
    page = response.content.decode()
    assert complaint in page
    assert words.strip() in page
    assert not OutageNote.objects.exists()


def test_the_longest_note_counts_a_line_break_once(outage, staff_client) -> None:
    assert add(staff_client, outage, "\r\n".join(["x" * 1999, "x" * 2000])).status_code == 302
    assert len(OutageNote.objects.get().text) == 4000


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('</p><img src=x onerror="x">', "&lt;/p&gt;&lt;img src=x onerror=&quot;x&quot;&gt;"),
        ("{{ settings.SECRET_KEY }}{% csrf_token %}", "{{ settings.SECRET_KEY }}{% csrf_token %}"),
        ("\u202eevil\u2066 שלום 🚒", "\u202eevil\u2066 שלום 🚒"),
        ("one\n\n  two\tthree", "one\n\n  two\tthree"),
    ],
    ids=["script", "attribute", "template", "right to left", "line breaks"],
)
def test_a_text_is_shown_as_it_was_typed(outage, staff_client, words, shown) -> None:
    add(staff_client, outage, words)
    note = OutageNote.objects.get()
    for url in (outage.get_absolute_url(), reverse("note_delete", args=[note.pk])):
        assert f'<p class="note-text" dir="auto">{shown}</p>' in text(staff_client, url)


def test_what_was_typed_into_a_deleted_note_can_be_copied(note, staff_client) -> None:
    url = reverse("note_edit", args=[note.pk])
    note.delete()
    answer = staff_client.post(url, {"text": "A long story <b>"}).content.decode()
    assert "A long story &lt;b&gt;</textarea>" in answer
    assert "to copy it into a new note" in answer
