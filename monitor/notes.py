"""What staff write about an outage: here alone notes are added, edited and deleted.

Staff add; only the author edits; staff delete any. Whoever may not gets PermissionDenied. ``text`` comes in
checked by monitor.outage_forms: plain, 1 to 4,000 characters.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied

from monitor.models import Outage, OutageNote


def add(outage: Outage, author: User, text: str, now: datetime) -> OutageNote:
    """Store a new note under the author's name, which it keeps when the account goes."""
    if not author.is_staff:
        raise PermissionDenied("Notes are written by staff.")
    return OutageNote.objects.create(
        outage=outage, author=author, author_name=author.get_username(), text=text, created=now
    )


def edit(note: OutageNote, editor: User, text: str, now: datetime) -> None:
    """Store another text and mark the note as edited; the same text changes nothing.

    Raises OutageNote.DoesNotExist where somebody has deleted it meanwhile.
    """
    if not may_edit(note, editor):
        raise PermissionDenied("A note is edited by its author alone.")
    if text == note.text:
        return
    if not OutageNote.objects.filter(pk=note.pk).update(text=text, edited=now):
        raise OutageNote.DoesNotExist
    note.text, note.edited = text, now


def delete(note: OutageNote, by: User) -> None:
    if not may_delete(by):
        raise PermissionDenied("Notes are deleted by staff.")
    note.delete()


def may_edit(note: OutageNote, user: User) -> bool:
    return user.is_staff and note.author_id == user.pk


def may_delete(user: User) -> bool:
    return user.is_staff
