from __future__ import annotations

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

from djamon.lib.environment import Environment


def environment(**variables: str) -> Environment:
    class Env(environ.Env):  # type: ignore[misc]
        ENVIRON = dict(variables)

    return Environment(env=Env())


READ = {
    "text": (lambda e: e.text("X"), "  a b ", "a b"),
    "text that begins with a dollar": (lambda e: e.text("X"), "$ecret", "$ecret"),
    "text with a backslash": (lambda e: e.text("X"), r"a\$b", r"a\$b"),
    "true": (lambda e: e.flag("X", default=False), "True", True),
    "yes": (lambda e: e.flag("X", default=False), "YES", True),
    "one": (lambda e: e.flag("X", default=False), "1", True),
    "off": (lambda e: e.flag("X", default=True), "off", False),
    "empty is off": (lambda e: e.flag("X", default=True), "", False),
    "integer": (lambda e: e.integer("X", 1, at_least=1, at_most=9), " 9 ", 9),
    "seconds": (lambda e: e.seconds("X", 1, at_least=0.1, at_most=9), "0.5", 0.5),
    "words": (lambda e: e.words("X"), " a, b,,c ,", ["a", "b", "c"]),
    "no words": (lambda e: e.words("X"), " , ", []),
    "codes": (lambda e: e.codes("X", "200"), "200, 404", {200, 404}),
    "urls": (lambda e: e.urls("X"), "http://a/, https://b/c", ["http://a/", "https://b/c"]),
    "no urls": (lambda e: e.urls("X", "http://a/"), "", []),
    "url": (lambda e: e.url("X"), "https://a.example/b/", "https://a.example/b"),
    "ipv6 url": (lambda e: e.url("X"), "http://[::1]:8000", "http://[::1]:8000"),
    "no url": (lambda e: e.url("X", "http://a"), "", ""),
}


@pytest.mark.parametrize(("read", "text", "value"), READ.values(), ids=READ)
def test_a_setting_is_read(read, text, value) -> None:
    assert read(environment(X=text)) == value


def test_networks_are_read() -> None:
    networks = environment(X="127.0.0.1, 10.1.2.3/8, ::1").networks("X")
    assert [str(network) for network in networks] == ["127.0.0.1/32", "10.0.0.0/8", "::1/128"]


REFUSED = {
    "flag": (lambda e: e.flag("X", default=False), "maybe"),
    "integer": (lambda e: e.integer("X", 1, at_least=1, at_most=9), "two"),
    "fraction for an integer": (lambda e: e.integer("X", 1, at_least=1, at_most=9), "1.5"),
    "empty integer": (lambda e: e.integer("X", 1, at_least=1, at_most=9), ""),
    "too small": (lambda e: e.integer("X", 1, at_least=1, at_most=9), "0"),
    "too large": (lambda e: e.integer("X", 1, at_least=1, at_most=9), "10"),
    "seconds": (lambda e: e.seconds("X", 1, at_least=0.1, at_most=9), "5s"),
    "no seconds": (lambda e: e.seconds("X", 1, at_least=0.1, at_most=9), "0"),
    "nan": (lambda e: e.seconds("X", 1, at_least=0.1, at_most=9), "nan"),
    "infinity": (lambda e: e.seconds("X", 1, at_least=0.1, at_most=9), "inf"),
    "code": (lambda e: e.codes("X", "200"), "200,ok"),
    "code of two digits": (lambda e: e.codes("X", "200"), "20"),
    "code past 599": (lambda e: e.codes("X", "200"), "600"),
    "no code": (lambda e: e.codes("X", "200"), ""),
    "url": (lambda e: e.urls("X"), "http://a/,example.org"),
    "url of another scheme": (lambda e: e.url("X"), "ftp://a/"),
    "url without a host": (lambda e: e.url("X"), "http://"),
    "url with port 0": (lambda e: e.url("X"), "http://a:0/"),
    "url with a bad port": (lambda e: e.url("X"), "http://a:99999/"),
    "url with a bad host": (lambda e: e.url("X"), "http://[::1/"),
    "network": (lambda e: e.networks("X"), "10.0.0.0/8,proxy"),
    "network with a long prefix": (lambda e: e.networks("X"), "10.0.0.0/33"),
}


@pytest.mark.parametrize(("read", "text"), REFUSED.values(), ids=REFUSED)
def test_a_bad_value_is_refused_by_the_variables_name(read, text) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^X: ") as refusal:
        read(environment(X=text))
    assert "\n" not in str(refusal.value)


def test_what_is_not_set_has_its_default_and_is_on_record() -> None:
    nothing = environment()
    assert nothing.text("A", "a") == "a"
    assert nothing.flag("B", default=True) is True
    assert nothing.seconds("C", 5, at_least=1, at_most=9) == 5
    assert nothing.defaults == {"A": "a", "B": "True", "C": "5"}


def test_the_process_wins_over_the_file(tmp_path) -> None:
    file = tmp_path / ".env"
    file.write_text('# a comment\nA=file\nB="quoted $word"\nexport C=exported\nD=\n')
    both = environment(A="process")
    both.read_file(file)
    assert [both.text(name, "default") for name in "ABCDE"] == [
        "process",
        "quoted $word",
        "exported",
        "",
        "default",
    ]


def test_a_missing_file_is_no_mistake(tmp_path) -> None:
    nothing = environment()
    nothing.read_file(tmp_path / ".env")
    assert nothing.text("A", "default") == "default"


def test_a_file_that_is_no_text_is_refused_by_its_name(tmp_path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"A=\xff\xfe")
    with pytest.raises(ImproperlyConfigured, match=r"\.env: cannot be read"):
        environment().read_file(file)
