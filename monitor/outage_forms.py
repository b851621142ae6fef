"""What is typed on the pages of outages: notes, and the filters of the list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator

from djamon.lib.forms import StyledForm
from monitor.outage_queries import Filters, Place, Places

NOTE_LIMIT = 4000  # characters
# Days that begin and end in every zone and in every database.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)
RANGE = "Choose a day from 1970 to 2999."


class NoteText(forms.CharField):
    """Text with line breaks: browsers send each as two characters, and count it as one."""

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n").replace("\r", "\n")


class NoteForm(StyledForm, forms.Form):
    text = NoteText(
        label="Note",
        max_length=NOTE_LIMIT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=f"Plain text, at most {NOTE_LIMIT:,} characters. Everybody with a login can read it.",
    )


class Day(forms.DateField):
    """A day as ``<input type="date">`` sends it, whatever the reader's language."""

    def __init__(self, label: str) -> None:
        super().__init__(
            label=label,
            required=False,
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            validators=[MinValueValidator(FIRST_DAY, RANGE), MaxValueValidator(LAST_DAY, RANGE)],
            error_messages={"invalid": "This is no day; write it as 2026-01-31."},
        )


class FilterForm(StyledForm, forms.Form):
    """The filters of the list. A field with a mistake says so and does not count; the others do."""

    state = forms.ChoiceField(
        required=False,
        choices=[("", "Open and over"), ("open", "Open"), ("over", "Over")],
        error_messages={"invalid_choice": "Choose open or over."},
    )
    group = forms.ChoiceField(
        required=False, error_messages={"invalid_choice": "There is no such group (any more)."}
    )
    site = forms.ChoiceField(
        required=False, error_messages={"invalid_choice": "There is no such site (any more)."}
    )
    name = forms.CharField(label="Name contains", required=False, max_length=255)
    since = Day("From")
    until = Day("To")

    def __init__(self, data: Mapping[str, Any], places: Places) -> None:
        super().__init__(data, auto_id="filter-%s", use_required_attribute=False)
        self.places = places
        self._offer("group", "Every group", places.groups)
        self._offer("site", "Every site", places.sites)

    def _offer(self, name: str, everything: str, by_slug: Mapping[str, Place]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  (for mypy)
        field.choices = [("", everything), *((slug, place.name) for slug, place in by_slug.items())]
        if not by_slug and not self.data.get(name):
            del self.fields[name]  # nothing to choose from

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", "This day lies before the first one.")
        return cleaned

    @property
    def touched(self) -> bool:
        """Whether anything is narrowed, or was meant to be."""
        return any(self.data.get(name, "").strip() for name in self.fields)

    def filters(self) -> Filters:
        """What was typed well; days begin and end in the zone of the pages."""
        self.is_valid()
        typed = self.cleaned_data
        since, until = typed.get("since"), typed.get("until")
        return Filters(
            state=typed.get("state", ""),
            group=_pk(self.places.groups, typed.get("group")),
            site=_pk(self.places.sites, typed.get("site")),
            name=typed.get("name", ""),
            since=_beginning(since) if since else None,
            until=_beginning(until + timedelta(days=1)) if until else None,
        )


def _pk(places: Mapping[str, Place], slug: str | None) -> int | None:
    return places[slug].pk if slug else None


def _beginning(day: date) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(settings.TIME_ZONE))
