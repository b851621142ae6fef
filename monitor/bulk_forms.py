"""What staff type or upload to change many sites at once; what is wrong is said at its field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.html import format_html

from djamon.lib.forms import StyledForm
from monitor import csvfiles
from monitor.bulk import LINE_BREAK, UNREADABLE, site_lines
from monitor.csvfiles import Parsed
from monitor.errors import BadFile
from monitor.models import Group, Site
from monitor.names import spelled_otherwise
from monitor.validators import validate_name

MAX_LINES = 1000
MAX_LINES_KIB = 256
# A page carries the file's text between preview and confirmation; beyond this the command is the better way.
MAX_FILE_BYTES = 1_000_000
TOO_LARGE = "The file is larger than 1 MB. Split it, or: .venv/bin/python manage.py import_sites FILE"

ALL_OR_NOTHING, SKIP_BAD = "nothing", "skip"


class LinesField(forms.CharField):
    """Takes NUL as the page would give it back, so that its line alone is refused, and not all of them."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\0", UNREADABLE)


class CsvField(forms.CharField):
    """Says on which line NUL stands."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        refuse_nul(text)
        return text


def refuse_nul(text: str) -> None:
    """No browser would send it back. Raises ValidationError."""
    before, found, _ = text.partition("\0")
    if found:
        line = len(LINE_BREAK.split(before))
        raise forms.ValidationError(f"Line {line} holds a NUL character: delete it, or save it as UTF-8.")


class LinesForm(StyledForm, forms.Form):
    """Pasted lines, and the group that they go into: ``cleaned_data["group_name"]``."""

    lines = LinesField(
        label="Sites, one a line",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "autocapitalize": "off"}),
        help_text="<code>https://shop.example/</code>, or with a name before it: "
        "<code>Front page, https://shop.example/</code>. "
        "Empty lines and those that begin with # are left out. "
        f"At most {MAX_LINES:,} sites and {MAX_LINES_KIB} KiB at a time.",
        error_messages={"required": "Write at least one line."},
    )
    group = forms.ModelChoiceField(
        Group.objects.all(),
        required=False,
        empty_label="A new group, named below",
        error_messages={"invalid_choice": "The group has been deleted meanwhile; choose another."},
    )
    new_group = forms.CharField(
        label="Name of the new group", required=False, max_length=255, validators=[validate_name]
    )

    def clean_lines(self) -> str:
        text: str = self.cleaned_data["lines"]
        size = len(text.encode("utf-8", "replace"))
        if size > MAX_LINES_KIB * 1024:
            raise forms.ValidationError(
                f"This is more than {MAX_LINES_KIB} KiB; paste it in parts, or import a file."
            )
        count = len(site_lines(text))
        if count > MAX_LINES:
            raise forms.ValidationError(f"These are {count:,} sites; at most {MAX_LINES:,} go at a time.")
        if not count:
            raise forms.ValidationError("There is no site: all lines are empty or comments.")
        return text

    def clean_new_group(self) -> str:
        name: str = self.cleaned_data["new_group"]
        names = list(Group.objects.values_list("name", flat=True)) if name else []
        if name not in names and (other := spelled_otherwise(name, names)):
            raise forms.ValidationError(
                format_html(
                    "There is a group <bdi>{}</bdi>, which differs in upper and lower case alone: choose it "
                    "above, or take another name.",
                    other,
                )
            )
        return name

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        group, name = cleaned.get("group"), cleaned.get("new_group")
        if group and name:
            self.add_error("new_group", "Choose a group or name a new one, not both.")
        elif not group and not name and not {"group", "new_group"} & set(self.errors):
            self.add_error("new_group", "Choose a group above, or name a new one here.")
        cleaned["group_name"] = group.name if group else name
        return cleaned


class FileForm(StyledForm, forms.Form):
    """An uploaded CSV file, whose text is ``cleaned_data["file"]``."""

    file = forms.FileField(
        label="CSV file",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
        help_text="UTF-8, first line <code>group,name,url</code>, at most 1 MB. "
        "Semicolons or tabs do as well. Nothing is written before you have seen what each row will do.",
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )

    def clean_file(self) -> str:
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if file.size is None or file.size > MAX_FILE_BYTES:
            raise forms.ValidationError(TOO_LARGE)
        try:
            text = LINE_BREAK.sub("\n", csvfiles.decode(file.read()))
            csvfiles.parse(text)
        except BadFile as error:
            raise forms.ValidationError(_sentence(error)) from error
        refuse_nul(text)
        return text


class TextForm(StyledForm, forms.Form):
    """The text of a file between preview and confirmation; its rows are ``cleaned_data["text"]``.

    The page carries it, so no file of one visitor waits on the server, and what comes back is trusted no more
    than what came first: all of it is checked again.
    """

    bad_rows = forms.ChoiceField(
        label="If rows are refused",
        choices=[(ALL_OR_NOTHING, "All or nothing: write no row"), (SKIP_BAD, "Skip them: write the others")],
        widget=forms.RadioSelect,
        initial=ALL_OR_NOTHING,
        error_messages={"required": "Choose what becomes of the other rows."},
    )
    text = CsvField(
        label="The file's text",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "autocapitalize": "off"}),
        help_text="What is wrong can be corrected here.",
        error_messages={"required": "The text is empty."},
    )

    def clean_text(self) -> Parsed:
        text = LINE_BREAK.sub("\n", self.cleaned_data["text"])
        if len(text.encode("utf-8", "replace")) > MAX_FILE_BYTES:
            raise forms.ValidationError(TOO_LARGE)
        try:
            return csvfiles.parse(text)
        except BadFile as error:
            raise forms.ValidationError(_sentence(error)) from error


class FilterForm(StyledForm, forms.Form):
    """Which sites the list shows; every part may be empty."""

    q = forms.CharField(
        label="Name or URL", required=False, max_length=255, widget=forms.TextInput(attrs={"type": "search"})
    )
    group = forms.ModelChoiceField(
        Group.objects.all(),
        required=False,
        to_field_name="slug",
        empty_label="All groups",
        error_messages={"invalid_choice": "There is no such group (any more)."},
    )
    state = forms.ChoiceField(
        required=False,
        choices=[("", "Any state"), *Site.State.choices, ("paused", "paused")],
        error_messages={"invalid_choice": "There is no such state."},
    )


def _sentence(error: BadFile) -> str:
    words = str(error)
    return f"{words[:1].upper()}{words[1:]}."
