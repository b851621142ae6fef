"""Gives the widgets of any form the classes of our layout; templates/includes/form.html shows such a form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.functional import cached_property

# Widgets by what Bootstrap calls them; the first match counts.
CLASSES: tuple[tuple[type[forms.Widget] | tuple[type[forms.Widget], ...], str], ...] = (
    ((forms.CheckboxInput, forms.CheckboxSelectMultiple, forms.RadioSelect), "form-check-input"),
    (forms.Select, "form-select"),
    (forms.Widget, "form-control"),
)

TOO_LONG = "The text has at most %(limit_value)d characters; this one has %(show_value)d."


class StyledField(forms.BoundField):
    """Marks the widget of a field with errors, for the eye as Django does for screen readers, and puts the
    cursor into the first of them.
    """

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        attrs = super().build_widget_attrs(attrs, widget)
        if self.errors:
            attrs["class"] = f"{(widget or self.field.widget).attrs.get('class', '')} is-invalid".strip()
        if bad := first_bad(self.form):
            attrs["autofocus"] = self.name == bad  # False also takes away what a widget has of its own
        return attrs

    @cached_property
    def subwidgets(self) -> list[forms.boundfield.BoundWidget]:
        """Of several buttons the first has the cursor: a page has one place for it."""
        widgets: list[forms.boundfield.BoundWidget] = super().subwidgets
        for widget in widgets[1:]:
            widget.data["attrs"].pop("autofocus", None)
        return widgets


class StyledForm(forms.BaseForm):
    """A mixin that stands before ``forms.Form``, ``forms.ModelForm`` or one of Django's own forms."""

    bound_field_class = StyledField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = css_class(field.widget)
            field.error_messages.setdefault("max_length", TOO_LONG)


def first_bad(form: forms.BaseForm) -> str | None:
    """The first field with an error that can be typed into."""
    return next((name for name in form.fields if name in form.errors and not form[name].is_hidden), None)


def css_class(widget: forms.Widget) -> str:
    return next(name for kind, name in CLASSES if isinstance(widget, kind))
