"""Alerts through channels that break at random, and senders that are killed at random.

``python -m tests.faults.channels --runs 1000 --seed 7``. In each round an alert is written, the mail server
or X gets into a fault or out of it, and a sender runs, which in one of three rounds is killed at a random
step. In the end all faults are over: everybody must have heard every alert, in the order of its outage, and
twice only what was under way at a kill, or was taken over without a word.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from tests.alerts.servers import Reply
from tests.faults.kills import BOSS, OPS, POST, Peers, Stepper, peers
from tests.faults.proxy import Proxy
from tests.faults.stores import Store, open_store

THIRD = "third@example.org"
STEPS = 450  # boundaries of a round with something to send, roughly
MAIL_FAULTS = (
    "down",
    "one address refused",
    "greylists",
    "drops after DATA",
    "refuses the message",
    "refuses us",
    "drops when idle",
)
X_FAULTS = ("down", "401", "403", "429", "500", "503", "200", "rubbish")
X_REPLIES = {
    "401": Reply(401, b'{"title": "Unauthorized"}'),
    "403": Reply(403, b'{"detail": "You are not permitted"}'),
    "429": Reply(429, b"{}", {"Retry-After": "900"}),
    "500": Reply(500, b"oops"),
    "503": Reply(503, b"", {"Retry-After": "soon"}),
    "200": Reply(200, b"<html>hello</html>"),
    "rubbish": Reply(418, bytes(range(256))),
}


@dataclass
class Weather:
    """Which fault each channel is in, and for how many rounds still."""

    chance: random.Random
    peers: Peers
    mail_line: Proxy
    x_line: Proxy
    left: dict[str, int] = field(default_factory=lambda: {"mail": 0, "X": 0})
    now: dict[str, str] = field(default_factory=lambda: {"mail": "none", "X": "none"})
    counts: Counter[str] = field(default_factory=Counter)

    def go_on(self) -> None:
        for channel, faults in (("mail", MAIL_FAULTS), ("X", X_FAULTS)):
            if self.left[channel]:
                self.left[channel] -= 1
                continue
            self.now[channel] = self.chance.choice(("none", "none", *faults))
            self.left[channel] = self.chance.randint(0, 4)
            self.counts[f"{channel} {self.now[channel]}"] += 1
        self._set_mail(self.now["mail"])
        self._set_x(self.now["X"])

    def clear(self) -> None:
        self._set_mail("none")
        self._set_x("none")

    def _set_mail(self, fault: str) -> None:
        rules = self.peers.rules
        rules.refused = {BOSS: "550 5.1.1 no such mailbox"} if fault == "one address refused" else {}
        rules.greylists = fault == "greylists"
        rules.known.clear()
        rules.drops_after_data = 1 if fault == "drops after DATA" else 0
        rules.refuses_message = "452 4.3.1 no room" if fault == "refuses the message" else ""
        rules.refuses_sender = "550 5.7.1 go away" if fault == "refuses us" else ""
        rules.drops_when_idle = fault == "drops when idle"
        self.mail_line.cut() if fault == "down" else self.mail_line.mend()

    def _set_x(self, fault: str) -> None:
        self.peers.x.replies = [X_REPLIES.get(fault, Reply())]
        self.x_line.cut() if fault == "down" else self.x_line.mend()


class Series:
    def __init__(self, runs: int, seed: int, here: Peers, store: Store) -> None:
        self.runs, self.chance, self.here, self.store = runs, random.Random(seed), here, store
        lines = Proxy("127.0.0.1", here.port), Proxy("127.0.0.1", int(here.x.url.rpartition(":")[2]))
        self.weather = Weather(self.chance, here, *lines)
        settings = here.settings() | {
            "EMAIL_PORT": str(lines[0].port),
            "TWITTER_API_URL": f"http://127.0.0.1:{lines[1].port}",
            "TO_EMAIL": f"{OPS},{BOSS},{THIRD}",
        }
        store.instance.settings |= settings
        self.stepper = Stepper(store.instance.environment())
        self.ahead_s = 0.0
        self.kills = 0
        self.may_repeat: set[tuple[str, str]] = set()

    def run(self) -> list[str]:
        for number in range(self.runs):
            self.stepper.enqueue(number, reference=number // 3, ahead_s=self.ahead_s)
            if not number:
                self.stepper.warm("send_alerts")
                continue
            self.weather.go_on()
            kill_at = self.chance.randint(1, STEPS) if self.chance.random() < 1 / 3 else 0
            killed = self.stepper.do("send_alerts", kill_at=kill_at, ahead_s=self.ahead_s)["status"] == -9
            self.kills += killed
            if killed:
                self._note(
                    "SELECT d.address, a.subject FROM alerts_delivery d JOIN alerts_alert a "
                    "ON a.id = d.alert_id WHERE d.claim IS NOT NULL AND d.state = 'pending'"
                )
            self.ahead_s += self.chance.choice((20, 60, 180, 600))
        self.weather.clear()
        for _ in range(12):
            self.ahead_s += 3600
            self.stepper.do("send_alerts", ahead_s=self.ahead_s)
        self._note(
            "SELECT d.address, a.subject FROM alerts_delivery d JOIN alerts_alert a ON a.id = d.alert_id "
            "JOIN alerts_attempt t ON t.delivery_id = d.id WHERE t.result LIKE '%not known%'"
        )
        self.stepper.end()
        return self.compare()

    def _note(self, sql: str) -> None:
        """What may arrive twice: with it goes all that was in the same message, of the same outage."""
        for address, subject in self.store.instance.rows(sql):
            outage = int(subject[1:]) // 3
            self.may_repeat |= {(address or POST, f"#{n:05}") for n in range(outage * 3, outage * 3 + 3)}

    def compare(self) -> list[str]:
        heard = self.heard()
        wrong = []
        for who in (OPS, BOSS, THIRD, POST):
            times = Counter(heard[who])
            wanted = {f"#{number:05}" for number in range(self.runs)}
            wrong += [f"{who} never heard {what}" for what in sorted(wanted - set(times))]
            wrong += [
                f"{who} heard {what} {n} times"
                for what, n in times.items()
                if n > 1 and (who, what) not in self.may_repeat
            ]
            firsts = list(dict.fromkeys(heard[who]))
            for a, b in pairwise(firsts):
                if int(a[1:]) // 3 == int(b[1:]) // 3 and b < a:
                    wrong.append(f"{who} heard {b} after {a}")
        self.twice = sum(n - 1 for who in heard for n in Counter(heard[who]).values())
        states = self.store.instance.rows("SELECT DISTINCT state FROM alerts_delivery")
        return wrong + ([f"deliveries are {states}"] if states != [("sent",)] else [])

    def heard(self) -> dict[str, list[str]]:
        heard: dict[str, list[str]] = defaultdict(list)
        for mail in self.here.rules.mails:
            body = mail.get_body(("plain",))
            heard[str(mail["To"])] += _numbers(body.get_content() if body else "")
        for post in self.here.x.taken:
            heard[POST] += _numbers(post.text)
        return heard


def _numbers(text: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"#\d{5}", text)))


def drive(runs: int, seed: int) -> tuple[list[str], str]:
    """What is wrong, and the counts in words."""
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="channels-") as folder,
        peers() as here,
        open_store(Path(folder)) as store,
    ):
        series = Series(runs, seed, here, store)
        wrong = series.run()
    faults = ", ".join(
        f"{n} {what}" for what, n in sorted(series.weather.counts.items()) if "none" not in what
    )
    words = (
        f"alerts={runs} seed={seed} took={time.monotonic() - began:.0f} s; kills: {series.kills}\n"
        f"  faults of channels: {faults}\n"
        f"  told more than once (under way at a kill, or taken without a word): {series.twice}\n"
        f"  lost, told twice for nothing, or out of order: {len(wrong)}"
    )
    return wrong, words


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.channels", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    wrong, words = drive(options.runs, options.seed)
    print("\n".join([*wrong, words]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
