"""The installed command, ``mailbridge run``, killed at some moments and started again: these really wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from werkzeug.wrappers import Request, Response

from bridge.clock import SystemClock
from bridge.sandbox.core import Dropped

from faults.matrix_writes import twice_written
from support.served import ADA, BEN, Served, served

COMMAND = Path(sys.executable).with_name("mailbridge")
LONGEST = 240.0
"""Seconds within which the second daemon must be done: the settle time of a comment is two minutes."""

REPLIES = ("Monday is fine.", "So is Tuesday.")


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is killed: as a request comes in, before or after it took effect."""

    name: str
    operation: str
    took_effect: bool


READING = Moment("as it reads a thread", "gmail.users.threads.get", took_effect=True)
MOMENTS = (
    READING,
    Moment("as it publishes a page, before that took effect", "updatePage", took_effect=False),
    Moment("as it posts a comment, after that took effect", "createFooterComment", took_effect=True),
)


class Killer:
    """Kills a process as a request comes in, once."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self.target: subprocess.Popen[bytes] | None = None
        self.done = threading.Event()

    def before(self, request: Request, operation: str, person: str) -> Response | None:
        """Kill it before the request takes effect, where that is asked for."""
        if not self._moment.took_effect and self._strikes(operation):
            raise Dropped
        return None

    def after(self, request: Request, operation: str, person: str, response: Response) -> Response:
        """Kill it after the request took effect, where that is asked for."""
        if self._moment.took_effect and self._strikes(operation):
            raise Dropped
        return response

    def _strikes(self, operation: str) -> bool:
        if operation != self._moment.operation or self.target is None:
            return False
        os.kill(self.target.pid, signal.SIGKILL)
        self.target.wait()
        self.target = None
        self.done.set()
        return True


def installed(moment: Moment, *, longest: float = LONGEST) -> str:
    """Kill the command at a moment and start it again; return what is wrong then, '' for nothing."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as site:
        with site.opened() as opened:
            site.connect(opened, ADA, BEN)
        killer = Killer(moment)
        site.world.core.faults.append(killer)
        thread = site.mail("Release plan", "It is below.\n")
        for text in REPLIES:
            site.reply(thread, f"{text}\n")
        with _running(site, "one") as first:
            killer.target = first
            if not killer.done.wait(longest):
                return "the moment never came"
        with _running(site, "two") as second:
            if not _until(lambda: _at_rest(site), longest):
                return f"not at rest after {longest:g} s: {_standing(site)}"
            second.send_signal(signal.SIGTERM)
            if second.wait(20) != 0:
                return f"the second one ended with {second.returncode}"
        twice = twice_written(site.world.core.journal.since())
        wrote = subprocess.run([COMMAND, "sync"], env=site.environ, capture_output=True, text=True, check=False).stdout
        if not wrote.startswith("Looked at 2 mailboxes, wrote 0 pages, 0 comments, 0 attachments."):
            return wrote
        return ", ".join(twice) or ("" if _at_rest(site) else str(_standing(site)))


@contextmanager
def _running(site: Served, name: str) -> Iterator[subprocess.Popen[bytes]]:
    with (site.folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen([COMMAND, "run"], env=site.environ, stderr=log)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _standing(site: Served) -> tuple[list[str], list[str]]:
    bodies = [comment.body for comment in site.world.atlassian.comments]
    return site.titles(), [next((text for text in REPLIES if text in body), body) for body in bodies]


def _at_rest(site: Served) -> bool:
    return _standing(site) == (["Release plan"], list(REPLIES))


def _until(condition: Callable[[], bool], longest: float) -> bool:
    clock, never = SystemClock(), threading.Event()
    give_up_at = clock.monotonic() + longest
    while not condition():
        if clock.monotonic() > give_up_at:
            return False
        never.wait(0.05)
    return True
