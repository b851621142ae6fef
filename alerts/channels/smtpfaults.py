"""What a mail server's refusal means: its words, and whether the next address may fare better. Pure."""

from __future__ import annotations

import smtplib

from alerts.channels import network
from alerts.channels.shape import Blame, Refused

UNKNOWN = "whether it arrived is not known"


def refusal(error: OSError, timeout_s: float, *, is_open: bool) -> Refused:
    """``error`` of smtplib or of its socket; ``is_open``: the server had greeted us and taken our login."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, words = next(iter(error.recipients.values()))
            return _answer(code, words, "the server refused this address", Blame.MESSAGE)
        case smtplib.SMTPDataError():
            return _answer(error.smtp_code, error.smtp_error, "the server refused the message", Blame.MESSAGE)
        case smtplib.SMTPResponseException():
            return _answer(error.smtp_code, error.smtp_error, _refused_what(error), Blame.CHANNEL)
        case smtplib.SMTPServerDisconnected():
            what = network.in_words(error, timeout_s) or "the connection was dropped"
        case smtplib.SMTPException():
            return Refused(f"the mail server cannot do what is asked: {error}", blame=Blame.CHANNEL)
        case _:
            what = network.in_words(error, timeout_s) or str(error.strerror or error)
    if is_open:
        return Refused(f"{what}: {UNKNOWN}", blame=Blame.CONNECTION)
    return Refused(what, blame=Blame.CHANNEL)


def _refused_what(error: smtplib.SMTPResponseException) -> str:
    match error:
        case smtplib.SMTPAuthenticationError():
            return "login refused"
        case smtplib.SMTPConnectError():
            return "the server refused the connection"
        case smtplib.SMTPHeloError():
            return "the server refused our greeting"
        case smtplib.SMTPSenderRefused():
            return "the server refused our sender"
    return "the server refused"


def _answer(code: int, words: bytes | str, what: str, blame: Blame) -> Refused:
    text = words.decode(errors="replace") if isinstance(words, bytes) else words
    if code < 0:  # smtplib's word for an answer that does not begin with a number
        return Refused(f"this is no mail server: {text}", blame=Blame.CHANNEL)
    if code == 421:  # the server says that it closes this connection
        return Refused(f"the server is closing: {code} {text}", blame=Blame.CONNECTION)
    if 400 <= code < 500 and blame is Blame.MESSAGE:
        return Refused(f"greylisted or busy, try later: {code} {text}")
    return Refused(f"{what}: {code} {text}", blame=blame)
