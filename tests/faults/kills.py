"""``kill -9`` at every step boundary in turn, and then a comparison with an undisturbed run.

``python -m tests.faults.kills --of probe`` (or ``send``); ``--every 10`` takes each tenth boundary only.
After each kill the next runs go on as cron would start them, and everybody must have heard everything:
once, and twice only what was under way at the kill.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.alerts.servers import MailRules, XRules, mail_server, x_server
from tests.e2e.peers import WebServer
from tests.faults.stores import Store, open_store
from tests.faults.world import ROOT

OPS, BOSS, POST = "ops@example.org", "boss@example.org", "X"
WAITING = ("#00001", "#00002")  # about two outages
PROGRESS = 100  # boundaries between two lines on standard error: all of them take an hour
LATER_S = 600.0  # every lease is over by then, and every pause after a first failure


@dataclass
class Peers:
    """The real servers that the killed process talks to."""

    web: WebServer
    rules: MailRules
    x: XRules
    port: int

    def forget(self) -> None:
        self.rules.mails.clear()
        self.x.posts.clear()
        self.web.codes.clear()

    def settings(self) -> dict[str, str]:
        keys = ("CONSUMER_KEY", "CONSUMER_SECRET", "OAUTH_TOKEN", "OAUTH_SECRET")
        return {
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(self.port),
            "TO_EMAIL": f"{OPS},{BOSS}",
            "TWITTER": "True",
            "TWITTER_API_URL": self.x.url,
            **dict.fromkeys(keys, "none-of-a-secret"),
        }

    def heard(self) -> Counter[tuple[str, str]]:
        """(recipient, alert) as the recipients have it; a mail may tell of several alerts."""
        heard: Counter[tuple[str, str]] = Counter()
        for mail in self.rules.mails:
            heard.update((str(mail["To"]), word) for word in _alerts(_words(mail)))
        for post in self.x.posts:
            heard.update((POST, word) for word in _alerts(post.text))
        return heard


def _words(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return f"{mail['Subject']}\n{body.get_content() if body else ''}"


def _alerts(text: str) -> list[str]:
    """Which of the scenarios' alerts a message tells."""
    return [word for word in ("Down: shop", "Up again", *WAITING) if word in text]


@contextmanager
def peers() -> Iterator[Peers]:
    rules, x = MailRules(), XRules()
    with WebServer() as web, mail_server(rules) as port, x_server(x):
        yield Peers(web, rules, x, port)


class Stepper:
    """The process that forks and kills."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.steps"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "djamon.settings", **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready\n"

    def do(self, *words: str, kill_at: int = 0, ahead_s: float = 0) -> dict[str, Any]:
        return self._order({"words": words, "kill_at": kill_at, "ahead_s": ahead_s})

    def warm(self, *words: str) -> None:
        """The forking process itself runs this first: later ones take a fifth of the time."""
        self._order({"warm": words})

    def enqueue(self, number: int, *, reference: int, ahead_s: float) -> None:
        """An alert ``#00017`` about an outage."""
        self._order({"enqueue": number, "reference": reference, "ahead_s": ahead_s})

    def _order(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self._line()
        assert line, f"the process that forks ended with status {self.process.wait()} at {order}"
        report: dict[str, Any] = json.loads(line)
        assert report["status"] in (0, -9), f"{order} came to {report}"
        return report

    def _line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@dataclass
class Scenario:
    """What is killed, and what everybody must have heard after the next runs."""

    peers: Peers
    stepper: Stepper
    store: Store
    wrong: list[str] = field(default_factory=list)
    twice: int = 0

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.store.instance.rows(sql)

    def prepare(self) -> None:
        """The state to which each kill comes back; the forking process has run everything once."""
        self.stepper.warm("send_alerts")
        self.store.keep()

    def one(self, kill_at: int) -> dict[str, Any]:
        """From the prepared state: a run that dies at this step, the runs after it, the comparison."""
        self.store.restore()
        self.peers.forget()
        report = self.killed(kill_at)
        under_way = {
            (address or POST)
            for (address,) in self.rows(
                "SELECT address FROM alerts_delivery WHERE claim IS NOT NULL AND state = 'pending'"
            )
        }
        self.go_on()
        self.compare(f"killed at {kill_at} ({report.get('last')})", under_way)
        return report

    def killed(self, kill_at: int) -> dict[str, Any]:
        raise NotImplementedError

    def go_on(self) -> None:
        raise NotImplementedError

    def must_hear(self) -> set[tuple[str, str]]:
        raise NotImplementedError

    def compare(self, when: str, under_way: set[str]) -> None:
        heard, must = self.peers.heard(), self.must_hear()
        self._say(when, {f"{who} never heard {what}" for who, what in must - set(heard)})
        self._say(when, {f"{who} heard {what} for nothing" for who, what in set(heard) - must})
        again = {key for key, times in heard.items() if times > 1}
        self.twice += len(again)
        self._say(when, {f"{who} heard {what} twice" for who, what in again if who not in under_way})
        self._say(when, {f"{key} heard thrice" for key, times in heard.items() if times > 2})
        left = self.rows("SELECT count(*) FROM alerts_delivery WHERE state <> 'sent'")[0][0]
        self._say(when, {f"{left} deliveries are not marked as sent"} if left else set())
        self._say(when, self.wrong_rows())

    def wrong_rows(self) -> set[str]:
        running = self.rows("SELECT count(*) FROM jobs_jobrun WHERE state = 'running'")[0][0]
        return {f"{running} runs seem to run for ever"} if running else set()

    def _say(self, when: str, what: set[str]) -> None:
        self.wrong += [f"{when}: {words}" for words in sorted(what)]


class ProbeScenario(Scenario):
    """The run in which shop has its third strike dies; shop fails once more, and then answers again."""

    def prepare(self) -> None:
        web = self.peers.web
        self.store.instance.add_sites(**{name: web.url(name) for name in ("shop", "blog", "wiki")})
        web.codes["shop"] = 503
        self.stepper.warm("probe")
        self.stepper.do("probe")
        super().prepare()

    def killed(self, kill_at: int) -> dict[str, Any]:
        self.peers.web.codes["shop"] = 503
        return self.stepper.do("probe", kill_at=kill_at)

    def go_on(self) -> None:
        for ahead_s in (60, 120):
            if ahead_s == 120:
                self.peers.web.codes.clear()
            self._must_work(self.stepper.do("probe", ahead_s=ahead_s))
        self.stepper.do("send_alerts", ahead_s=LATER_S)

    def _must_work(self, report: dict[str, Any]) -> None:
        if "3 sites asked" not in report.get("said", ""):
            self.wrong.append(f"the next run was hindered: {report}")

    def must_hear(self) -> set[tuple[str, str]]:
        return {(who, what) for who in (OPS, BOSS, POST) for what in ("Down: shop", "Up again")}

    def wrong_rows(self) -> set[str]:
        wrong = super().wrong_rows()
        views = {count for (count,) in self.rows("SELECT count(*) FROM monitor_siteview GROUP BY site_id")}
        if views not in ({4}, {5}):  # two before, one or none of the killed run, two after
            wrong.add(f"views of the sites: {views}")
        if self.rows("SELECT count(*), count(resolved_at) FROM monitor_outage") != [(1, 1)]:
            wrong.add("not one outage that is over")
        if self.rows("SELECT site_name, ending FROM monitor_outagesites") != [("shop", "back")]:
            wrong.add("not one fall, of shop, that is over")
        if self.rows("SELECT DISTINCT state, failures FROM monitor_site") != [("up", 0)]:
            wrong.add("not all sites are up")
        return wrong


class SendScenario(Scenario):
    """Two alerts about different outages wait for three recipients each; the sender dies."""

    def prepare(self) -> None:
        self.stepper.warm("send_alerts")
        for number, _ in enumerate(WAITING, 1):
            self.stepper.enqueue(number, reference=number, ahead_s=0)
        self.store.keep()

    def killed(self, kill_at: int) -> dict[str, Any]:
        return self.stepper.do("send_alerts", kill_at=kill_at)

    def go_on(self) -> None:
        self.stepper.do("send_alerts", ahead_s=60)
        self.stepper.do("send_alerts", ahead_s=LATER_S)

    def must_hear(self) -> set[tuple[str, str]]:
        return {(who, what) for who in (OPS, BOSS, POST) for what in WAITING}


SCENARIOS = {"probe": ProbeScenario, "send": SendScenario}


@contextmanager
def scenario(what: str) -> Iterator[Scenario]:
    with (
        tempfile.TemporaryDirectory(prefix="kills-") as folder,
        peers() as here,
        open_store(Path(folder)) as store,
    ):
        store.instance.settings |= here.settings()
        stepper = Stepper(store.instance.environment())
        try:
            made = SCENARIOS[what](here, stepper, store)
            made.prepare()
            yield made
        finally:
            stepper.end()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kills", description=__doc__)
    parser.add_argument("--of", choices=sorted(SCENARIOS), required=True)
    parser.add_argument("--every", type=int, default=1, help="take each n-th boundary only")
    parser.add_argument("--first", type=int, default=1, help="the first boundary")
    options = parser.parse_args()
    began = time.monotonic()
    with scenario(options.of) as here:
        undisturbed = here.one(-1)
        kills = 0
        for step in range(options.first, undisturbed["steps"] + 1, options.every):
            kills += here.one(step)["status"] == -9
            if step % PROGRESS == 0:
                print(f"  … {step} of {undisturbed['steps']} boundaries", file=sys.stderr)
    for line in here.wrong:
        print(line)
    took_s = time.monotonic() - began
    print(
        f"kills of {options.of}: {kills} at {undisturbed['steps']} boundaries, took {took_s:.0f} s; "
        f"told twice (under way at the kill): {here.twice}; "
        f"different from the undisturbed run: {len(here.wrong)}"
    )
    return 1 if here.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
