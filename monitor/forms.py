"""What staff type in: groups and sites, checked by the rules that their models carry.

The plain forms are for Django's admin, which has looks of its own; the styled ones for our pages.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.html import format_html

from djamon.lib.forms import StyledForm
from djamon.lib.merging import MergingForm
from monitor.models import Group, Site
from monitor.names import spelled_otherwise


class PlainGroupForm(MergingForm, forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = Group
        fields = ("name", "internal")
        error_messages = {"name": {"unique": "There is a group of this name."}}

    def clean_name(self) -> str:
        """Whoever has both *Shop* and *shop* picks the wrong one; those that are there already may stay."""
        name: str = self.cleaned_data["name"]
        others = Group.objects.exclude(pk=self.instance.pk).values_list("name", flat=True)
        if name != self.instance.name and (other := spelled_otherwise(name, others)):
            raise forms.ValidationError(
                format_html(
                    "There is a group <bdi>{}</bdi>, which differs in upper and lower case alone.", other
                )
            )
        return name


class PlainSiteForm(MergingForm, forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Site
        fields: tuple[str, ...] = ("group", "name", "url", "interval_min", "good_codes", "get_fallback")

    def clean(self) -> dict[str, Any]:
        """Beside the model's own rules: a name once in its group, said at the name's field."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        group, name = cleaned.get("group"), cleaned.get("name")
        if group and name:
            namesakes = Site.objects.filter(group=group, name=name).exclude(pk=self.instance.pk)
            if namesakes.exists():
                self.add_error("name", "The group has a site of this name.")
        return cleaned


class GroupForm(StyledForm, PlainGroupForm):
    pass


class SiteForm(StyledForm, PlainSiteForm):
    class Meta(PlainSiteForm.Meta):
        widgets = {"url": forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://"})}
