"""E-mail by Django's mail settings: a message of its own for each address of TO_EMAIL.

One connection serves a round; one that was dropped is opened again. The words of failures are smtpfaults'.
"""

from __future__ import annotations

from contextlib import suppress
from email.utils import format_datetime, parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.utils.encoding import punycode

from alerts.channels.shape import Blame, Message, Outcome, Refused, Sent
from alerts.channels.smtpfaults import refusal
from alerts.words import one_line

SUBJECT_LENGTH = 200  # mail programs show less; a header line may have 998


class EmailChannel:
    name = "email"
    label = "e-mail"
    public = False

    def __init__(self) -> None:
        self._backend: Any = None

    @property
    def limit_s(self) -> float:
        """EMAIL_TIMEOUT bounds one answer of the server; a whole dialogue has about eight."""
        return max(60.0, 4 * float(settings.EMAIL_TIMEOUT))

    def recipients(self) -> list[str]:
        once = {address.casefold(): address for address in reversed(settings.TO_EMAIL)}
        return list(reversed(once.values()))

    def send(self, message: Message) -> Outcome:
        try:
            self._open()
        except OSError as error:  # smtplib's own errors are OSErrors too
            return self._failed(error, is_open=False)
        except ValueError as error:  # a name that no name server could be asked for
            self.close()
            return Refused(f"EMAIL_HOST cannot be used: {error}", blame=Blame.CHANNEL)
        try:
            taken = self._backend.send_messages([compose(message)])
        except OSError as error:
            return self._failed(error, is_open=True)
        except ValueError as error:  # UnicodeError, BadHeaderError: said before anything was sent
            return Refused(f"this address cannot be used: {error}")
        return Sent() if taken else Refused("there is no address to send to")

    def close(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None:
            with suppress(OSError):  # what was sent is sent, however the server says good-bye
                backend.close()

    def _open(self) -> None:
        """An open connection whose server still answers."""
        if self._backend is not None:
            smtp = getattr(self._backend, "connection", None)
            try:
                if smtp is None or smtp.noop()[0] == 250:
                    return
            except OSError:
                pass  # closed while it was idle: nothing is lost, a new one is opened
            self.close()
        self._backend = get_connection()
        self._backend.open()
        if smtp := getattr(self._backend, "connection", None):
            smtp.ehlo_or_helo_if_needed()

    def _failed(self, error: OSError, *, is_open: bool) -> Refused:
        refused = refusal(error, settings.EMAIL_TIMEOUT, is_open=is_open)
        if refused.blame is not Blame.MESSAGE:
            self.close()
        return refused


def compose(message: Message) -> EmailMultiAlternatives:
    """The mail, equal for each try but for what the mail servers add: its Message-ID comes from the key."""
    domain = punycode(parseaddr(settings.FROM_EMAIL)[1].rpartition("@")[2] or "localhost")
    mail = EmailMultiAlternatives(
        subject=one_line(message.subject, SUBJECT_LENGTH),
        body=message.text,
        from_email=settings.FROM_EMAIL,
        to=[message.address] if message.address else [],
        headers={
            "Message-ID": f"<{message.key.hex}@{domain}>",
            "Date": format_datetime(message.created),
            "Auto-Submitted": "auto-generated",
            "X-Djamon-Reference": one_line(message.reference, SUBJECT_LENGTH),
        },
    )
    mail.attach_alternative(message.html, "text/html")
    return mail
