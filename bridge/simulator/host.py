"""The computer that an installation runs on: its clock, its database file, its configuration, its way to the network.

What is here outlives a crash of a daemon; what a daemon holds in memory is in ``machine``.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import requests
from sqlalchemy import Engine, event
from sqlmodel import Session

from bridge.config import Settings
from bridge.http import Transports
from bridge.oauth.seal import make_key
from bridge.sandbox.inprocess import WsgiAdapter, WsgiHttp
from bridge.sandbox.world import World
from bridge.simulator.scheduler import Scheduler, Stopped
from bridge.store.engine import Store, open_store
from bridge.store.migrate import migrate

_TRAVEL = (0.01, 0.15)
"""Seconds that a request or an answer is under way, least and most."""


class HostClock:
    """The clock of the computer: it may be set wrong, and it may be asleep. Both daemons share it."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._error = timedelta(0)
        self._boots = 1
        self._sleeps: list[tuple[float, float]] = []

    def now(self) -> datetime:
        """Return the instant that the clock shows, aware, UTC."""
        return self._scheduler.clock.now() + self._error

    def monotonic(self) -> float:
        """Return the seconds that the computer was awake."""
        now = self._scheduler.now
        return now - sum(min(now, until) - start for start, until in self._sleeps if now > start)

    def boot(self) -> str:
        """Name this running of the computer."""
        return f"boot-{self._boots}"

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Let others go on for so long, unless the event is set; return whether it is set."""
        if not event.is_set():
            self._scheduler.point("wait", seconds)
        return event.is_set()

    @property
    def error(self) -> timedelta:
        """By how much the clock is ahead of the services'."""
        return self._error

    def set_wrong(self, error: timedelta) -> None:
        """Set the clock so that it is ahead of the services' by so much."""
        self._error = error

    def sleep(self, seconds: float) -> bool:
        """Count the next so many seconds as sleep; return False where it sleeps already."""
        start = self._scheduler.now
        if self._sleeps and start < self._sleeps[-1][1]:
            return False
        self._sleeps.append((start, start + seconds))
        return True

    def start_anew(self) -> None:
        """Count from another start: the computer itself was switched off and on."""
        self._boots += 1


class PacedStore(Store):
    """A store whose workers stand at a point before and after each commit, and never while a transaction is open."""

    def __init__(self, engine: Engine, scheduler: Scheduler) -> None:
        super().__init__(engine)
        self._scheduler = scheduler
        self.ended = False

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session whose changes are committed at the end; see ``Store.write``."""
        self._scheduler.point("before commit")
        if self.ended:
            raise Stopped
        worker = self._scheduler.current
        with super().write() as session:
            if worker is not None:
                worker.writing = True
            try:
                yield session
            finally:
                if worker is not None:
                    worker.writing = False
        self._scheduler.point("after commit")

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session for reading; see ``Store.read``."""
        if self.ended:
            raise Stopped
        with super().read() as session:
            yield session

    def close(self) -> None:
        """End the program's use of the database; the connections are the disk's."""
        self.ended = True


class Disk:
    """A folder with the database of one simulation after the other; what is costly to make is made once.

    ``engine`` is the one that all programs use: it keeps what SQL was made from which query, and knows no program.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "mailbridge.db"
        self.seal_key = make_key()
        url = f"sqlite:///{self.database}"
        migrate(url)
        self._empty = self.database.read_bytes()
        self.engine = open_store(url).engine
        event.listen(self.engine, "connect", _without_fsync)
        self._looking: sqlite3.Connection | None = None

    @property
    def looking(self) -> sqlite3.Connection:
        """A connection to look at the database from outside of all programs."""
        if self._looking is None:
            self._looking = sqlite3.connect(self.database, check_same_thread=False, isolation_level=None)
        return self._looking

    def wipe(self) -> None:
        """Put an empty database of this program's version there, as a new installation has it; no program runs."""
        self.database.with_suffix(".epoch").unlink(missing_ok=True)
        self.write(self._empty)

    def write(self, content: bytes) -> None:
        """Put these bytes in the database's place; no program has it open."""
        self.close()
        for suffix in ("-wal", "-shm"):
            self.database.with_name(self.database.name + suffix).unlink(missing_ok=True)
        self.database.write_bytes(content)

    def read(self) -> bytes:
        """Return a copy of the database as it is, as a nightly backup makes one."""
        with closing(sqlite3.connect(":memory:")) as saved:
            self.looking.backup(saved)
            return saved.serialize()

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()
        if self._looking is not None:
            self._looking.close()
            self._looking = None


@dataclass
class Host:
    """One computer with one installation of the product; its daemons are made by ``machine``.

    ``settings`` may be replaced: that is an edit of the configuration file. ``stirred`` are called by ``stir``.
    """

    world: World
    scheduler: Scheduler
    random: Random
    disk: Disk
    settings: Settings
    clock: HostClock = field(init=False)
    stirred: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make its clock, and let the sandbox's slow answers take their time in it."""
        self.clock = HostClock(self.scheduler)
        self.world.core.wait = lambda seconds: self.scheduler.point("slow", seconds)

    def stir(self) -> None:
        """Let every daemon look soon at what is due, since somebody changed something."""
        for nudge in self.stirred:
            nudge()

    def opened(self) -> PacedStore:
        """Open the database as a program of this computer does."""
        return PacedStore(self.disk.engine, self.scheduler)

    def transports(self) -> Transports:
        """Return a program's way to both services: workers stand at a point before and after each request."""

        def session() -> requests.Session:
            made = requests.Session()
            made.trust_env = False
            made.mount("http://", _PacedAdapter(self))
            return made

        return Transports(session=session, http=lambda: _PacedHttp(self))

    def travel(self, what: str, *, sent: bool = False) -> None:
        """Let a request (``sent``) or an answer be on its way."""
        low, high = _TRAVEL
        self.scheduler.point(what, low + (high - low) * self.random.random(), sent=sent)

    def next_due(self) -> datetime | None:
        """Return when the next mailbox is due or the next mailbox's lease ends; None where there is no mailbox."""
        query = "select min(case when lease = '' then due_at else lease_until end) from mailbox"
        found = self.disk.looking.execute(query).fetchone()[0]
        return None if found is None else _instant(found)


class _PacedAdapter(WsgiAdapter):
    """The sandbox's adapter with a point on each side."""

    def __init__(self, host: Host) -> None:
        super().__init__(host.world.app)
        self._host = host

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Carry one request; a lost answer takes its time too."""
        self._host.travel(f"before {request.method}", sent=True)
        try:
            return super().send(request, stream, timeout, verify, cert, proxies)
        finally:
            self._host.travel(f"after {request.method}")


class _PacedHttp(WsgiHttp):
    """Likewise for Gmail's client."""

    def __init__(self, host: Host) -> None:
        super().__init__(host.world.app)
        self._host = host

    def request(self, uri: str, method: str = "GET", *args: Any, **more: Any) -> Any:
        """Carry one request."""
        self._host.travel(f"before {method}", sent=True)
        try:
            return super().request(uri, method, *args, **more)
        finally:
            self._host.travel(f"after {method}")


def _without_fsync(connection: Any, record: object) -> None:
    """Spare the disk: no simulation turns the power off."""
    connection.execute("PRAGMA synchronous=OFF")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")
