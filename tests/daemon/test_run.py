"""``mailbridge run`` as it is installed, in a process of its own, beside a company that this process serves."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from support.served import ADA, BEN, ENG, PATIENCE, Served, free_port, served, until

COMMAND = shutil.which("mailbridge", path=str(Path(sys.executable).parent)) or "mailbridge"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as found:
        with found.opened() as opened:
            found.connect(opened, ADA, BEN)
        yield found


class Process:
    """A running ``mailbridge run``; its log goes to a file."""

    def __init__(self, site: Served, log: Path, *arguments: str, **environ: str) -> None:
        self.log = log
        with log.open("wb") as file:
            self.popen = subprocess.Popen([COMMAND, "run", *arguments], env=site.environ | environ, stderr=file)

    def lines(self) -> list[dict[str, Any]]:
        whole = self.log.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def told(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["event"] == event]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; return the exit code, which must come within 20 s."""
        self.popen.send_signal(number)
        return self.popen.wait(20)


@contextmanager
def run(site: Served, *arguments: str, name: str = "log", **environ: str) -> Iterator[Process]:
    process = Process(site, site.folder / name, *arguments, **environ)
    try:
        until(lambda: process.told("running") or process.popen.poll() is not None, "the start")
        yield process
    finally:
        if process.popen.poll() is None:
            process.popen.kill()
            process.popen.wait(PATIENCE)


def mailbridge(site: Served, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments], env=site.environ | environ, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_it_publishes_answers_commands_and_ends_on_sigterm(site: Served) -> None:
    with run(site) as process:
        thread = site.mail("Release plan", "The canary sings.\n")
        until(lambda: site.titles() == ["Release plan"], "the page")

        until(lambda: "1 published" in mailbridge(site, "status").stdout, "word of the page")
        status = mailbridge(site, "status").stdout.splitlines()
        assert status[0].startswith("Running for ")
        assert status[1].split(maxsplit=1) == ["People", "2 connected, 0 paused, 0 must reconnect"]
        assert status[-1] == "Nothing for you to do."
        assert json.loads(mailbridge(site, "held", "--json").stdout) == []

        site.reply(thread, "To you alone.\n", to=ADA)
        until(lambda: json.loads(mailbridge(site, "held", "--json").stdout), "the question")
        (question,) = json.loads(mailbridge(site, "held", "--json").stdout)
        assert (question["reason"], question["choices"]) == ("narrow reply", ["publish", "leave-out"])
        assert site.world.atlassian.comments == []
        answered = mailbridge(site, "answer", question["id"], "publish")
        assert answered.stdout == "To be published within seconds: a reply of ada@example.com.\n"
        until(lambda: len(site.world.atlassian.comments) == 1, "the comment")

        assert process.end() == 0
        assert process.told("stopped")[0]["finished"] is True
    again = mailbridge(site, "sync", "--json")
    assert (again.returncode, json.loads(again.stdout)["comments"]) == (0, 0)


def test_two_of_them_share_by_leases(site: Served) -> None:
    with run(site, name="one"), run(site, name="two", MAILBRIDGE_WEB__LISTEN=f"127.0.0.1:{free_port()}") as second:
        subjects = [f"Plan {number}" for number in range(8)]
        for subject in subjects:
            site.mail(subject)
        until(lambda: len(site.titles()) >= len(subjects), "the pages")
        assert second.end(signal.SIGINT) == 0
    assert site.titles() == subjects
    assert len(site.world.atlassian.pages) == len(subjects)


class Slow:
    """Makes the sandbox take its time for every comment."""

    def before(self, request: Request, operation: str, person: str) -> Response | None:
        if operation == "createFooterComment":
            threading.Event().wait(0.2)
        return None

    def after(self, request: Request, operation: str, person: str, response: Response) -> Response:
        return response


@pytest.mark.scenario("A46b")
def test_sigterm_in_the_middle_of_a_long_thread(site: Served) -> None:
    """The write under way is finished, the rest is left to the next start at once, and nothing is doubled."""
    comments, replies = site.world.atlassian, 40
    site.world.core.faults.append(Slow())
    thread = site.mail("Release plan")
    for number in range(replies):
        site.reply(thread, f"Reply {number}.\n")
    with run(site, name="one") as first:
        until(lambda: len(comments.comments) >= 3, "the first comments")
        assert first.end() == 0
        assert first.told("stopped")[0]["finished"] is True
    assert 3 <= len(comments.comments) < replies
    site.world.core.faults.clear()
    with run(site, name="two") as second:
        until(lambda: len(comments.comments) >= replies, "the rest")
        until(lambda: "1 published, 0 publishing now" in mailbridge(site, "status").stdout, "word of it")
        assert second.end() == 0
    assert len(comments.comments) == replies
    assert site.titles() == ["Release plan"]


def test_a_second_one_at_the_same_address_is_refused(site: Served) -> None:
    with run(site) as first:
        refused = mailbridge(site, "run")
        assert refused.returncode == 1
        assert f"Another program listens at 127.0.0.1:{site.port} already." in refused.stderr
        assert first.popen.poll() is None


@pytest.mark.scenario("A9")
def test_sighup_applies_an_edit_or_says_why_not(site: Served) -> None:
    with run(site) as process:
        site.config.write_text(site.text(ENG).replace('poll_idle = "1s"', 'poll_idle = "2s"'))
        process.popen.send_signal(signal.SIGHUP)
        until(lambda: process.told("configuration applied"), "the edit")
        assert process.told("configuration applied")[0]["changed"] == ["gmail.poll_idle"]
        site.config.write_text(site.text(ENG).replace("poll_idle", "poll_idel"))
        process.popen.send_signal(signal.SIGHUP)
        problem = "configuration not applied; the last good one stays"
        until(lambda: process.told(problem), "the refusal")
        assert process.told(problem)[0]["problem"].startswith(f"{site.config}:")
        assert process.end() == 0


def test_a_faulty_file_at_the_start_falls_back_loudly_or_is_refused(site: Served) -> None:
    site.write("[gmail\n")
    with run(site) as process:
        assert process.told("configuration not applied; the last good one stays")
        (remark,) = process.told("found at the start")
        assert remark["remark"].startswith(f"{site.config} has 1 fault;")
        assert process.end() == 0
    strict = mailbridge(site, "run", "--strict")
    assert strict.returncode == 2
    assert strict.stderr.startswith(f"{site.config} has 1 fault;")


def test_a_missing_secret_is_refused_before_anything_is_touched(site: Served) -> None:
    (site.folder / "atlassian_secret").unlink()
    (site.folder / "mailbridge.db").rename(site.folder / "kept.db")
    refused = mailbridge(site, "run")
    assert refused.returncode == 2
    assert refused.stderr.startswith(
        f"No atlassian_client_secret is known: the file {site.folder}/atlassian_secret is not there."
    )
    assert not (site.folder / "mailbridge.db").exists()
