"""How wrong logins are slowed: django-axes counts them; here stand whose count it is and the answer.

Five failures of one user name at one address, or fifty of any names at one address, close the login to
that pair or that address for five minutes after the last of them. Nobody is locked out from another address.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_cool_off, get_credentials
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts import kept
from djamon.lib.clientip import client_ip
from djamon.lib.durations import roughly
from djamon.lib.negotiation import json_error, wants_json

# Whoever tries many names from one address is stopped too, but an office behind one address is not at once.
ADDRESS_LIMIT = 50
# Whoever has one IPv6 address has its network of 2**64.
COUNTED_V6_PREFIX = 64
# Stands for the peer of a Unix socket: axes finds no rows by an empty address.
NO_ADDRESS = str(ipaddress.IPv4Address(0))


def counted_address(request: HttpRequest) -> str:
    """The address that failures are counted for: an IPv4 address, or the /64 network of an IPv6 one."""
    address = client_ip(request)
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return NO_ADDRESS
    if ip.version == 4:
        return address
    return str(ipaddress.ip_network((ip, COUNTED_V6_PREFIX), strict=False).network_address)


class LoginGuard(AxesDatabaseHandler):  # type: ignore[misc]
    """The database handler of axes with a second, higher limit for an address alone."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Failures that count against AXES_FAILURE_LIMIT; the address' own are scaled down to it."""
        (pair,) = self.get_user_attempts(request, credentials)
        scaled = _failures(_of_address(request)) * settings.AXES_FAILURE_LIMIT // ADDRESS_LIMIT
        return max(_failures(pair), scaled)

    def closed_until(self, request: HttpRequest) -> datetime:
        """When this login opens again: the cool-off after the last failure that counts against it."""
        credentials = getattr(request, "axes_credentials", None) or get_credentials(
            request.POST.get("username", "")
        )
        (pair,) = self.get_user_attempts(request, credentials)
        by_pair = _failures(pair) >= settings.AXES_FAILURE_LIMIT
        last = (pair if by_pair else _of_address(request)).aggregate(last=Max("attempt_time"))["last"]
        until: datetime = (last or timezone.now()) + get_cool_off(request)
        return until


def lockout_page(request: HttpRequest, *_others: Any) -> HttpResponse:
    """429 with the time of the next try, as a page or as JSON."""
    until = LoginGuard().closed_until(request)
    wait_s = max(1, int((until - timezone.now()).total_seconds()) + 1)
    if wants_json(request):
        response: HttpResponse = json_error(429, f"Too many wrong logins; try again in {roughly(wait_s)}.")
    else:
        carried = request.POST.get(kept.FIELD, "")
        context = {"until": until, "wait": roughly(wait_s), "kept": carried if kept.read(carried) else ""}
        response = render(request, "accounts/lockout.html", context, status=429)
    response["Retry-After"] = str(wait_s)
    return response


def _of_address(request: HttpRequest) -> QuerySet[Any]:
    """The attempts of the request's address within the cool-off."""
    threshold = request.axes_attempt_time - get_cool_off(request)  # type: ignore[attr-defined]
    return AccessAttempt.objects.filter(  # type: ignore[no-any-return]
        ip_address=request.axes_ip_address,  # type: ignore[attr-defined]
        attempt_time__gte=threshold,
    )


def _failures(attempts: QuerySet[Any]) -> int:
    return attempts.aggregate(failures=Sum("failures_since_start"))["failures"] or 0
