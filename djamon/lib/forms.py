"""Gives the widgets of any form the classes of our layout; templates/includes/form.html shows such a form."""

from __future__ import annotations

from typing import Any

from django import forms

# Widgets by what Bootstrap calls them; the first match counts.
CLASSES: tuple[tuple[type[forms.Widget] | tuple[type[forms.Widget], ...], str], ...] = (
    ((forms.CheckboxInput, forms.CheckboxSelectMultiple, forms.RadioSelect), "form-check-input"),
    (forms.Select, "form-select"),
    (forms.Widget, "form-control"),
)


class StyledForm(forms.BaseForm):
    """A mixin that stands before ``forms.Form``, ``forms.ModelForm`` or one of Django's own forms."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = css_class(field.widget)


def css_class(widget: forms.Widget) -> str:
    return next(name for kind, name in CLASSES if isinstance(widget, kind))
