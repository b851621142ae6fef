"""What staff type in: a limit, checked by the rules that its model carries."""

from __future__ import annotations

from typing import Any

from django import forms

from djamon.lib.forms import StyledForm
from djamon.lib.merging import MergingForm
from timings.models import Limit, Series


class AsSent(forms.CharField):
    """Blanks around it stay where somebody sends it so, and go where a hand slipped."""

    name: str

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "strip": False})

    def to_python(self, value: Any) -> str:
        typed = str(super().to_python(value))
        stripped = typed.strip()
        if typed != stripped and "\0" not in typed and Series.objects.filter(**{self.name: typed}).exists():
            return typed
        return stripped


class KeyField(AsSent):
    name = "key"


class TokenField(AsSent):
    name = "token"


class LimitForm(StyledForm, MergingForm, forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = Limit
        field_classes = {"key": KeyField, "token": TokenField}
        fields = ("key", "token", "figure", "threshold_ms", "minutes", "fewest", "public")
        widgets = {"threshold_ms": forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"})}

    def clean(self) -> dict[str, Any]:
        """Of two limits that say the same, each would be told of."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        terms = {name: cleaned.get(name) for name in self.Meta.fields if name != "public"}
        if None not in terms.values() and Limit.objects.filter(**terms).exclude(pk=self.instance.pk).exists():
            self.add_error(None, "There is a limit that says exactly this.")
        return cleaned
