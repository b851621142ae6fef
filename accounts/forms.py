"""The forms of login, password and tokens."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.models import User

from accounts.models import ApiToken
from djamon.lib.forms import StyledForm


class LoginForm(StyledForm, AuthenticationForm):
    """One message for every wrong login: it does not tell whether the user exists or is active."""

    error_messages = {
        "invalid_login": "User name or password is wrong.",
        "inactive": "User name or password is wrong.",
    }


class OwnPasswordForm(StyledForm, PasswordChangeForm):
    """Django's own, in our layout."""


class TokenForm(StyledForm, forms.Form):
    """What a user decides about a new token; scope ``admin`` is offered to staff only."""

    LIFETIMES = (("", "never"), ("30", "in 30 days"), ("90", "in 90 days"), ("365", "in a year"))

    name = forms.CharField(
        max_length=100, help_text="Where it is used, so that you know it again.", label="Name"
    )
    scopes = forms.MultipleChoiceField(
        choices=ApiToken.Scope.choices, initial=[ApiToken.Scope.READ], widget=forms.CheckboxSelectMultiple
    )
    lifetime = forms.ChoiceField(choices=LIFETIMES, required=False, label="Expires")

    def __init__(self, user: User, data: object = None) -> None:
        super().__init__(data)
        if not user.is_staff:
            self.fields["scopes"].choices = [  # type: ignore[attr-defined]
                choice for choice in ApiToken.Scope.choices if choice[0] != ApiToken.Scope.ADMIN
            ]

    def expires(self, now: datetime) -> datetime | None:
        days = self.cleaned_data["lifetime"]
        return now + timedelta(days=int(days)) if days else None
