"""The stage of the crashes: a sandbox in a process of its own, and daemons in forked ones that are killed.

Everything is imported and prepared before the first fork, so a life begins in milliseconds. A daemon's process counts
its own requests and commits; the sandbox's process outlives it. The parent keeps the time: a daemon that would wait
tells it for how long, and goes on when the clock, which is in memory that all share, has been moved.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.daemon.dispatch import Dispatch
from bridge.daemon.wiring import make_bridge
from bridge.store.beside import FileBeside
from bridge.sync.mailbox import sync_mailbox

from faults.crashes_company import POLLS, CrashCompany
from faults.crashes_daemon import live_until_settled
from faults.crashes_pipe import Pipe
from faults.crashes_points import Counter, Point
from faults.crashes_sandbox import Sandbox, serve_until_killed

RESTART = 5.0
"""Seconds between a daemon's death and the start of the next, as the unit file has it."""


@dataclass(frozen=True, slots=True)
class Life:
    """How a daemon's process ended.

    ``points`` are its moments, where it lived on; ``killed_at`` (or ``stopped_at``) its last words before
    that; ``settled_in`` the seconds of the shared clock until nothing was left to do, ``looked_in`` until every mailbox
    was looked at.
    """

    points: tuple[Point, ...] = ()
    killed_at: str = ""
    stopped_at: str = ""
    settled_in: float = 0.0
    looked_in: float = 0.0
    failed: str = ""


class Stage:
    """A prepared company in a folder, whose daemons live and die from there as often as is asked."""

    def __init__(self, folder: Path) -> None:
        self._port = socket.socket()
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._port.bind(("127.0.0.1", 0))  # keeps the number from others; who listens is the sandbox's process
        self.number = int(self._port.getsockname()[1])
        self.folder = folder
        self.company = CrashCompany(folder, f"http://127.0.0.1:{self.number}")
        self._connect()
        self.company.people_act()
        self.clock = self.company.clock
        self._begun = self.clock.monotonic()
        self._kept = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
        self._epoch = FileBeside(folder / "mailbridge.epoch")
        self._noted = self._epoch.read()
        gc.freeze()

    def _connect(self) -> None:
        company = self.company
        with make_bridge(company.company.oauth, company.company.tokens, self.folder / "spool") as bridge:
            for address in ("ada@example.com", "ben@example.com"):
                company.company.connect(address, backlog="publish")
            dispatch = Dispatch(company.company.oauth.store, company.clock, owner="before", places=9)
            for _ in range(2):
                for box in dispatch.tick():
                    dispatch.done(sync_mailbox(bridge, box))
                dispatch.flush()
                company.clock.advance(POLLS.poll_idle)
        company.company.close()

    def close(self) -> None:
        """End it."""
        self._port.close()

    @contextmanager
    def sandbox(self, late_at: int = 0) -> Iterator[Sandbox]:
        """Serve the company as it was prepared, beside the database as it was then, until the context ends.

        Args:
            late_at: which request takes effect late, from 1; 0 for none.
        """
        self._put_back()
        self.clock.advance(self._begun - self.clock.monotonic())
        asking, telling = Pipe(), Pipe()
        child = os.fork()
        if child == 0:
            serve_until_killed(self.company.world, self.number, late_at, asking, telling)
        try:
            sandbox = Sandbox(child, asking, telling)
            sandbox.ask("ready")
            yield sandbox
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            asking.close()
            telling.close()

    def live(
        self,
        kill_at: int = 0,
        *,
        meanwhile: Callable[[], None] | None = None,
        then: Callable[[], None] | None = None,
    ) -> Life:
        """Let a daemon live in a process of its own, until it has nothing left to do or is killed.

        Args:
            kill_at: the number of the moment at which it is killed, 0 for never.
            meanwhile: it is stopped at that moment instead, this is called, and then it is woken.
            then: called when it has nothing left to do; after that it loses every cursor and looks at all anew.
        """
        up, down = Pipe(), Pipe()
        child = os.fork()
        if child == 0:
            counter = Counter(
                kill_at,
                lambda point: up.write({"killed_at" if meanwhile is None else "stopped_at": point.name}),
                signal.SIGKILL if meanwhile is None else signal.SIGSTOP,
            )
            live_until_settled(self.company, counter, then is not None, up, down)
        up.close_writing()
        found: dict[str, Any] = {}
        for line in up.lines():
            said = json.loads(line)
            if "wait" in said:
                self.clock.advance(said["wait"])
                down.write({})
            elif "stopped_at" in said and meanwhile is not None:
                os.waitid(os.P_PID, child, os.WSTOPPED)
                found |= said
                meanwhile()
                os.kill(child, signal.SIGCONT)
            elif "at_rest" in said and then is not None:
                then()
                down.write({})
            else:
                found |= said
        _, status = os.waitpid(child, 0)
        up.close()
        down.close()
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        if not killed and "settled_in" not in found and "failed" not in found:
            found["failed"] = f"it ended with status {status}"
        if killed != bool(found.get("killed_at")):
            found["failed"] = found.get("failed") or "it was killed by something else"
        found["points"] = tuple(Point(*point) for point in found.get("points", ()))
        return Life(**found)

    def _put_back(self) -> None:
        for file in self.folder.iterdir():
            if file.is_dir():
                shutil.rmtree(file)
            elif file.name not in self._kept:
                file.unlink()
        for name, data in self._kept.items():
            (self.folder / name).write_bytes(data)
        if self._noted is not None:
            self._epoch.write(self._noted, durable=False)  # this folder is the original, not a copy put back
