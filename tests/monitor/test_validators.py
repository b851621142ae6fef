"""What a site's URL may be: refused by forms, files and admin alike before it is ever asked."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from monitor.validators import validate_url

REFUSED = {
    "no scheme": ("shop.example/", "neither http:// nor https://"),
    "another scheme": ("ftp://shop.example/", "neither http:// nor https://"),
    "no host": ("http:///path", "names no host"),
    "white space": ("http://shop example/", "no spaces"),
    "credentials": ("http://me:secret@shop.example/", "user name or password"),
    "port 0": ("http://shop.example:0/", "Port 0"),
    "port that is none": ("http://shop.example:99999/", "Not a URL"),
    "too long": ("http://shop.example/" + "x" * 2000, "2000 are the most"),
    "a star": ("http://*/", "cannot be asked"),
    "dots alone": ("http://..../", "cannot be asked"),
    "an empty label": ("http://a..b/", "cannot be asked"),
    "a dash in front": ("http://-a-/", "cannot be asked"),
    "markup": ("http://exa<mple>.example/", "cannot be asked"),
    "a label of 64 letters": (f"http://{'a' * 64}.example/", "cannot be asked"),
    "a future kind of address": ("http://[v1.x]/", "[Nn]ot a URL|cannot be asked"),
}
TAKEN = (
    "http://shop.example",
    "https://shop.example:8443/basket?item=1#top",
    "http://127.0.0.1:8000/",
    "http://[::1]/",
    "http://bücher.example/straße",
    "http://under_score.example/",
)


@pytest.mark.parametrize(("url", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_can_never_be_asked_is_refused_with_the_reason(url, reason) -> None:
    with pytest.raises(ValidationError, match=reason):
        validate_url(url)


@pytest.mark.parametrize("url", TAKEN)
def test_what_can_be_asked_is_taken(url) -> None:
    validate_url(url)
