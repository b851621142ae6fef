"""Faults of the network in words."""

import errno
import socket
import ssl

import pytest

from alerts.channels.network import in_words


def wrapped(inner: BaseException) -> Exception:
    outer = RuntimeError("outer")
    outer.__cause__ = ValueError(inner)
    return outer


UNTRUSTED = ssl.SSLCertVerificationError(1, "certificate verify failed")
UNTRUSTED.verify_message = "self-signed certificate"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(ConnectionRefusedError(), "connection refused", id="refused"),
        pytest.param(ConnectionResetError(), "the connection was dropped", id="reset"),
        pytest.param(BrokenPipeError(), "the connection was dropped", id="pipe"),
        pytest.param(TimeoutError("timed out"), "no answer within 15 s", id="silent"),
        pytest.param(socket.gaierror(socket.EAI_NONAME, "?"), "name not found", id="no-name"),
        pytest.param(socket.gaierror(socket.EAI_AGAIN, "?"), "name look-up failed", id="no-resolver"),
        pytest.param(OSError(errno.ENETUNREACH, "?"), "no way to the network", id="network"),
        pytest.param(OSError(errno.EHOSTUNREACH, "?"), "no way to the host", id="host"),
        pytest.param(ssl.SSLError(1, "x"), "TLS failed: x", id="tls"),
        pytest.param(UNTRUSTED, "certificate not accepted: self-signed certificate", id="certificate"),
        pytest.param(wrapped(ConnectionRefusedError()), "connection refused", id="wrapped-twice"),
        pytest.param(RuntimeError("own fault"), None, id="not-the-network"),
    ],
)
def test_words(error: Exception, words: str | None) -> None:
    assert in_words(error, 15.0) == words


def test_a_circle_of_causes_ends() -> None:
    first, second = RuntimeError(), RuntimeError()
    first.__cause__, second.__cause__ = second, first
    assert in_words(first, 1.0) is None
