"""Every tenth moment of ``make crashes``, another tenth for each commit; and the installed command, killed once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bridge.store.mailboxes import LEASE

from faults.crashes import Run as CrashRun
from faults.crashes import last_line, table
from faults.crashes_installed import READING, installed
from faults.crashes_points import Point
from support.shared import ROOT


@pytest.mark.scenario("X1")
@pytest.mark.scenario("A46a")
@pytest.mark.timeout(400)
def test_a_daemon_killed_at_any_moment_loses_nothing_doubles_nothing_and_is_never_stuck() -> None:
    command = [sys.executable, ROOT / "tests" / "faults" / "crashes.py", "--every", "10", "--no-command", "--jobs", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    count, _, verdict = done.stdout.splitlines()[-1].partition(" points, ")
    assert verdict == "0 lost, 0 twice, 0 stuck", done.stdout + done.stderr
    assert int(count) >= 35
    assert done.returncode == 0


@pytest.mark.scenario("A46a")
def test_the_command_that_was_killed_goes_on_at_once_when_it_is_started_again() -> None:
    """It does not wait for the ten minutes of the lease that the killed one had."""
    assert installed(READING, longest=LEASE.total_seconds() / 10) == ""


def test_what_is_wrong_is_counted_and_told() -> None:
    runs = [
        CrashRun(Point(1, "before", "createPage"), lost="1 lines, first x"),
        CrashRun(Point(2, "sent", "createPage", late=True), twice="comment y 2 times"),
        CrashRun(Point(3, "after", "commit sync.thread.look"), stuck="it never ended", settled_in=40.0),
    ]
    assert last_line(runs) == "3 points, 1 lost, 1 twice, 1 stuck"
    assert runs[0].wrong == "lost: 1 lines, first x"
    assert [line.split() for line in table(runs)[1:]] == [
        ["createPage", "1", ".", "1", ".", ".", ".", "0", "s"],
        ["commit", "sync.thread.look", ".", ".", ".", ".", "1", ".", "40", "s"],
    ]
