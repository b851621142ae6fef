"""What an operator lives through: sites fall and rise, people are told, and nothing is lost on the way."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.e2e.conftest import ROOT, Instance
from tests.e2e.peers import MailServer, WebServer

OPS, BOSS = "ops@example.org", "boss@example.org"


def watch(instance: Instance, web: WebServer, mail: MailServer) -> None:
    instance.settings |= mail.settings(OPS, BOSS)
    instance.add_sites(shop=web.url("shop"), blog=web.url("blog"), wiki=web.url("wiki"))


def probe(instance: Instance, times: int = 1) -> str:
    return [instance.must("probe") for _ in range(times)][-1]


def test_a_site_falls_and_rises_and_everybody_is_told_once(instance, web, mail) -> None:
    watch(instance, web, mail)
    assert "3 sites asked" in probe(instance)
    web.codes["shop"] = 503
    assert "2 up, 1 failed" in probe(instance, 2)
    assert mail.rules.mails == []
    assert "outage 1 opened" in probe(instance)
    assert [mail.subjects(address) for address in (OPS, BOSS)] == [["Down: shop"]] * 2
    assert "opened" not in probe(instance, 2)
    web.codes.clear()
    assert "outage 1 resolved" in probe(instance)
    for address in (OPS, BOSS):
        _fell, back = mail.subjects(address)
        assert back.startswith("Up again after ")
        assert back.endswith(": shop")
    assert instance.value("SELECT count(*) FROM monitor_siteview") == 7 * 3


def test_the_crontab_line_does_the_same_from_any_folder(instance, web, mail, tmp_path) -> None:
    watch(instance, web, mail)
    web.codes["shop"] = 500
    for _ in range(3):
        command = [sys.executable, str(ROOT / "scripts" / "cronjob.py")]
        subprocess.run(command, check=True, cwd="/", env=instance.environment(), capture_output=True)
    assert mail.subjects(OPS) == ["Down: shop"]
    assert instance.value("SELECT count(*) FROM jobs_jobrun WHERE name = 'probe' AND trigger = 'cron'") == 3


def test_sites_that_fall_in_the_same_run_share_one_alert_and_later_ones_join(instance, web, mail) -> None:
    watch(instance, web, mail)
    web.codes |= {"shop": 500, "blog": 404}
    probe(instance)
    web.codes["wiki"] = 500
    probe(instance, 3)
    assert mail.subjects(OPS) == ["Down: blog and shop", "Also down: wiki"] or mail.subjects(OPS) == [
        "Down: shop and blog",
        "Also down: wiki",
    ]


def test_a_refused_address_keeps_nobody_else_from_their_mail(instance, web, mail) -> None:
    watch(instance, web, mail)
    mail.rules.refused[OPS] = "550 5.1.1 no such mailbox"
    web.codes["shop"] = 500
    assert "1 alert sent" in probe(instance, 3)
    assert mail.subjects(BOSS) == ["Down: shop"]
    assert "550" in instance.value("SELECT last_result FROM alerts_delivery WHERE state = 'pending'")


def test_a_mail_server_that_is_down_delays_nothing_and_loses_nothing(instance, web, mail) -> None:
    watch(instance, web, mail)
    web.codes["shop"] = 500
    down = {"EMAIL_PORT": "1"}  # nobody listens there
    for _ in range(3):
        assert instance.run("probe", **down).returncode == 0
    assert instance.value("SELECT count(*) FROM alerts_delivery WHERE state = 'pending'") == 2
    with instance.connect() as connection:  # the pause before the next try is over
        connection.execute("UPDATE alerts_delivery SET next_try = '2026-01-01 00:00:00+00:00'")
    instance.must("send_alerts")
    assert mail.subjects(OPS) == mail.subjects(BOSS) == ["Down: shop"]


def test_two_sweeps_at_once_the_second_says_so_and_ends_well(instance, web, mail) -> None:
    watch(instance, web, mail)
    web.hold.clear()
    first = instance.start("probe", PROBE_TIMEOUT="20")
    assert web.asked.wait(20)
    second = instance.run("probe")
    web.hold.set()
    out, err = first.communicate(timeout=30)
    assert (second.returncode, first.returncode) == (0, 0), err
    assert "running" in second.stdout
    assert "3 up" in out
    assert instance.value("SELECT count(*) FROM monitor_siteview") == 3


def test_a_sweep_that_is_killed_leaves_nothing_half_written_and_the_next_goes_on(instance, web, mail) -> None:
    watch(instance, web, mail)
    web.codes["shop"] = 500
    probe(instance, 2)
    web.hold.clear()
    web.asked.clear()
    killed = instance.start("probe", PROBE_TIMEOUT="20")
    assert web.asked.wait(20)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=10)
    web.hold.set()
    assert instance.value("SELECT count(*) FROM monitor_siteview") == 6
    assert "opened" in probe(instance)
    assert mail.subjects(OPS) == mail.subjects(BOSS) == ["Down: shop"]
    assert instance.value("SELECT count(*) FROM jobs_jobrun WHERE state = 'died'") == 1


def test_without_its_sandbox_a_run_records_nothing_and_says_why(instance, web, mail) -> None:
    watch(instance, web, mail)
    web.codes["shop"] = 500
    probe(instance, 2)
    asked = web.seen["shop"]
    done = instance.run("probe", SANDBOX_URLS="http://127.0.0.1:1/,http://nowhere.invalid/")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "connection refused" in done.stderr
    assert web.seen["shop"] == asked
    assert instance.value("SELECT count(*) FROM monitor_siteview") == 6
    assert instance.value("SELECT count(*) FROM jobs_jobrun WHERE state = 'fault'") == 1
    assert instance.value("SELECT max(failures) FROM monitor_site") == 2


def test_a_dry_run_tells_and_writes_nothing(instance, web, mail) -> None:
    watch(instance, web, mail)
    web.codes["shop"] = 500
    out = instance.must("probe", "--dry-run")
    assert f"{web.url('shop')}: failed, HTTP 500" in out
    assert instance.value("SELECT count(*) FROM monitor_siteview") == 0
    assert instance.value("SELECT count(*) FROM jobs_jobrun") == 0


@pytest.mark.parametrize(
    "words", [("--site", "shop"), ("--group", "web", "--site", "shop")], ids=["site", "both"]
)
def test_named_sites_alone_are_asked(words, instance, web, mail) -> None:
    watch(instance, web, mail)
    instance.must("probe", *words)
    assert web.seen["shop"] == 1
    assert web.seen["blog"] == (1 if "--group" in words else 0)


def test_an_unknown_site_is_one_line_and_status_1(instance) -> None:
    done = instance.run("probe", "--site", "nope")
    assert done.returncode == 1
    assert done.stderr.strip().endswith("no site has the slug 'nope'")
    assert done.stderr.count("\n") == 1


def test_no_site_at_all_is_no_fault(instance) -> None:
    assert "no site is due" in probe(instance)


def test_the_environment_is_refused_by_name(instance) -> None:
    done = instance.run("probe", STRIKES="three")
    assert done.returncode == 1
    assert done.stderr == "djamon: STRIKES: 'three' is not a whole number\n"


def test_a_run_that_is_killed_between_recording_and_alerting_loses_no_alert(instance, web, mail) -> None:
    watch(instance, web, mail)
    web.codes["shop"] = 500
    probe(instance, 2)
    with WebServer() as watcher:  # called after recording, before sending
        watcher.hold.clear()
        killed = instance.start("probe", HEARTBEAT_URL=watcher.url("beat"))
        assert watcher.asked.wait(20)
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=10)
    assert mail.rules.mails == []
    assert instance.value("SELECT count(*) FROM monitor_outage") == 1
    probe(instance)
    assert mail.subjects(OPS) == mail.subjects(BOSS) == ["Down: shop"]
    instance.must("send_alerts")
    assert len(mail.rules.mails) == 2


def test_a_run_that_is_killed_while_sending_repeats_only_what_was_under_way(instance, web, mail) -> None:
    watch(instance, web, mail)
    web.codes["shop"] = 500
    probe(instance, 2)
    mail.rules.holds = BOSS
    killed = instance.start("probe", EMAIL_TIMEOUT="20")
    assert mail.rules.held.wait(20)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=10)
    mail.rules.holds = ""
    mail.rules.go_on.set()
    with instance.connect() as connection:  # the lease of the killed sender is over
        connection.execute(
            "UPDATE alerts_delivery SET lease_until = '2026-01-01 00:00:00+00:00' WHERE state = 'pending'"
        )
    instance.must("send_alerts")
    assert len(mail.subjects(OPS)) == 1
    again = [m["Message-ID"] for m in mail.rules.mails if m["To"] == BOSS]
    assert len(again) == 2
    assert len(set(again)) == 1


def test_a_heartbeat_is_sent_after_a_run_that_did_its_work_and_only_then(instance, web) -> None:
    instance.add_sites(shop=web.url("shop"))
    instance.settings["HEARTBEAT_URL"] = web.url("beat")
    instance.run("probe", SANDBOX_URLS="http://127.0.0.1:1/")
    assert web.seen["beat"] == 0
    probe(instance)
    assert web.seen["beat"] == 1
