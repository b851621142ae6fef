"""A form that leaves alone what others have changed since it was shown.

It carries what it was filled with (Django's hidden initial values). When it comes back, a field that this
person left alone takes what is stored by now; one that both have changed, each to something else, is a
conflict: nothing is written, the field says so, and the same form sent again overwrites. It knows no model.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString

OVERWRITES = "Yours is kept here: send it again to overwrite that."


class MergingForm(forms.BaseModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A mixin that stands before a ``ModelForm``; ``merged`` are the labels of what others changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.merged: list[str] = []
        self._conflicts: dict[str, SafeString] = {}
        if self.instance.pk is None:
            return
        for field in self.fields.values():
            field.show_hidden_initial = True
        if self.is_bound:
            self._merge()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, sentence in self._conflicts.items():
            self.add_error(name, sentence)
        return cleaned

    def _merge(self) -> None:
        """Go on as if the form had been filled with what is stored now."""
        data: Any = copy(self.data)
        for name, field in self.fields.items():
            bound = self[name]
            theirs = _as_sent(field, bound.initial)
            # A program that sends none edits what is stored now.
            before = _as_sent(field, data.get(bound.html_initial_name, theirs))
            mine = _as_sent(field, bound.data)
            if before not in {theirs, mine} and mine != theirs:
                self._conflicts[name] = _conflict(getattr(self.instance, name))
            elif before == mine != theirs:
                self.merged.append(str(bound.label))
                _put(data, bound.html_name, field, theirs)
            data[bound.html_initial_name] = theirs
        self.data = data


def _as_sent(field: forms.Field, value: Any) -> str:
    """The value as a browser sends it, a tick as True or False."""
    if isinstance(field, forms.BooleanField):
        return str(bool(field.to_python(value)))
    prepared = field.prepare_value(value)
    return "" if prepared is None else str(prepared).strip()


def _put(data: Any, name: str, field: forms.Field, value: str) -> None:
    if not isinstance(field, forms.BooleanField):
        data[name] = value
    elif value == str(True):
        data[name] = "on"
    else:
        data.pop(name, None)


def _conflict(theirs: Any) -> SafeString:
    """Never of a tick: of two who change one, both mean the same."""
    if theirs in (None, ""):
        return format_html("Emptied meanwhile by somebody else. {}", OVERWRITES)
    return format_html("Changed meanwhile to <bdi>{}</bdi> by somebody else. {}", theirs, OVERWRITES)
