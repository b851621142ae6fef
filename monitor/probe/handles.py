"""libcurl's handles as the probes need them: verified, bounded, without proxies, caches or redirects."""

from __future__ import annotations

import os
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import certifi
import pycurl

from djamon import __version__

# All that servers speak. Left alone, OpenSSL 3.5 also makes post-quantum keys for each handshake, a tenth of
# what a site costs, to guard a request that holds no secret.
CURVES = "X25519:P-256:P-384:P-521"
# All that TLS 1.3 has, the quickest first: with SHA-256, which processors have an instruction for.
TLS13_CIPHERS = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
USER_AGENT = f"Djamon/{__version__} (+uptime probe)"
SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, Red Hat
    "/var/lib/ca-certificates/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # BSDs, macOS
)


def find_ca_file() -> str:
    """SSL_CERT_FILE, even a missing one: that must be seen; else the system's bundle, else certifi's."""
    if named := os.environ.get("SSL_CERT_FILE"):
        return named
    candidates = (ssl.get_default_verify_paths().cafile, *SYSTEM_BUNDLES)
    return next((path for path in candidates if path and Path(path).is_file()), certifi.where())


class Handle:
    """One reusable easy handle with a DNS cache of its own.

    libcurl takes a name's addresses only by way of its DNS cache. The cache of a multi handle would grow with
    the sites and be searched at each start; one per handle holds the handle's last name alone.
    """

    def __init__(self, ca_file: str) -> None:
        self.curl = pycurl.Curl()
        self._names = pycurl.CurlShare()
        self._names.setopt(pycurl.SH_SHARE, pycurl.LOCK_DATA_DNS)
        self._last_line: deque[bytes] = deque(maxlen=1)  # its append is a callback without any Python code
        self._name = ""  # host:port of the last request, in the cache
        self._verb = "HEAD"
        self._reads_certificate = False
        self._configure(ca_file)

    def _configure(self, ca_file: str) -> None:
        set_option = self.curl.setopt
        set_option(pycurl.SHARE, self._names)
        set_option(pycurl.CAINFO, ca_file)
        set_option(pycurl.NOBODY, True)
        set_option(pycurl.HEADERFUNCTION, self._last_line.append)
        set_option(pycurl.WRITEFUNCTION, _refuse_body)
        set_option(pycurl.USERAGENT, USER_AGENT)
        set_option(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        set_option(pycurl.FOLLOWLOCATION, False)
        set_option(pycurl.FRESH_CONNECT, True)  # each probe pays for its own connection and handshake
        set_option(pycurl.FORBID_REUSE, True)
        set_option(pycurl.SSL_SESSIONID_CACHE, False)
        if "OpenSSL" in pycurl.version:
            set_option(pycurl.SSL_EC_CURVES, CURVES)
            set_option(pycurl.TLS13_CIPHERS, TLS13_CIPHERS)
        set_option(pycurl.DNS_CACHE_TIMEOUT, 0)
        set_option(pycurl.PROXY, "")
        set_option(pycurl.NOPROXY, "*")
        set_option(pycurl.NETRC, pycurl.NETRC_IGNORED)
        set_option(pycurl.NOSIGNAL, True)
        set_option(pycurl.PATH_AS_IS, True)

    def aim(
        self, url: str, verb: str, timeout_s: float, name: str = "", addresses: Sequence[str] = ()
    ) -> None:
        """Set for the next request; ``name`` (``host:port``) is empty where the URL carries an address."""
        self._last_line.clear()
        self.curl.setopt(pycurl.URL, url)
        self.curl.setopt(pycurl.TIMEOUT_MS, max(1, round(timeout_s * 1000)))  # 0 would mean no limit
        if verb != self._verb:
            # libcurl sends the verb, but still ends after the headers: it believes to do a HEAD.
            self.curl.setopt(pycurl.CUSTOMREQUEST, verb)
            self._verb = verb
        if name or self._name:
            forget = [f"-{self._name}"] if self._name else []
            learn = [f"{name}:{','.join(addresses)}"] if name else []
            self.curl.setopt(pycurl.RESOLVE, forget + learn)
            self._name = name

    def read_certificate(self, wanted: bool) -> None:
        """Whether libcurl takes the server's certificates apart in the next request: that costs time."""
        if wanted != self._reads_certificate:
            self.curl.setopt(pycurl.OPT_CERTINFO, int(wanted))
            self._reads_certificate = wanted

    def tell(self, account: Callable[[int, bytes], None]) -> None:
        """Have libcurl tell what it does, for good: such a handle is not used again."""
        self.curl.setopt(pycurl.VERBOSE, True)
        self.curl.setopt(pycurl.DEBUGFUNCTION, account)

    def only_shake_hands(self) -> None:
        """For a certificate that was refused: connect, read it, send nothing."""
        self.curl.setopt(pycurl.CONNECT_ONLY, 1)
        self.curl.setopt(pycurl.SSL_VERIFYPEER, 0)
        self.curl.setopt(pycurl.SSL_VERIFYHOST, 0)
        self.read_certificate(True)

    @property
    def headers_complete(self) -> bool:
        """Did the empty line come? libcurl takes a connection that was closed before it as an answer."""
        return bool(self._last_line) and self._last_line[0] in (b"\r\n", b"\n")

    def close(self) -> None:
        self.curl.close()
        self._names.close()


def _refuse_body(_: bytes) -> int:
    return 0
