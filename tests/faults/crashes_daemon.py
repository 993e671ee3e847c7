"""A daemon in a forked process: it opens the installation as the real one does, and turns until all is done."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import traceback
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from typing import Any, NoReturn

from sqlalchemy import event
from sqlmodel import col, func, select, update

from bridge.clock import SeededChance
from bridge.daemon.dispatch import Dispatch
from bridge.daemon.opening import Outside, put_together
from bridge.daemon.stepped import SteppedEngine
from bridge.daemon.wiring import make_bridge
from bridge.daemon.workers import SERVICE, sign_on
from bridge.http import Endpoints, network
from bridge.sandbox.world import SECRET
from bridge.store import threads
from bridge.store.engine import Store, open_store
from bridge.store.tables import Follow, Mailbox
from bridge.sync.mailbox import sync_mailbox

from faults.crashes_company import CrashCompany
from faults.crashes_pipe import Pipe
from faults.crashes_points import Counter

LONGEST = 60
"""Seconds of the machine's time after which it is given up."""

PATIENCE = 2 * 3600.0
"""Seconds of the shared clock within which a daemon must have nothing left to do."""


def live_until_settled(company: CrashCompany, counter: Counter, again: bool, up: Pipe, down: Pipe) -> NoReturn:
    """Be a daemon's process."""
    signal.alarm(LONGEST)
    gc.disable()  # it does not live long
    code = 1
    try:
        _Daemon(company, counter, up, down).run(again=again)
        code = 0
    except BaseException:
        up.write({"failed": traceback.format_exc()[-3000:]})
    sys.stdout.flush()
    os._exit(code)


class _Waits:
    """The shared clock, which the parent moves: to wait is to ask for it."""

    def __init__(self, company: CrashCompany, up: Pipe, down: Pipe) -> None:
        self._clock, self._up, self._down = company.clock, up, down.lines()

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def boot(self) -> str:
        return self._clock.boot()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        if not event.is_set():
            self.tell({"wait": seconds})
        return event.is_set()

    def tell(self, what: dict[str, Any]) -> None:
        """Tell the parent, and go on when it says so."""
        self._up.write(what)
        next(self._down)


class _Daemon:
    """Opens the installation as the daemon does, and lets the stepped engine turn until nothing is left to do."""

    def __init__(self, company: CrashCompany, counter: Counter, up: Pipe, down: Pipe) -> None:
        self._company, self._counter, self._up = company, counter, up
        self._clock = _Waits(company, up, down)
        self._begun = self._clock.monotonic()
        self._looked_in = 0.0

    def run(self, *, again: bool) -> None:
        """Live; say how it went."""
        company, clock = self._company, self._clock
        settings = company.settings
        url = f"sqlite:///{company.folder}/mailbridge.db"
        self._counter.watch_requests()
        outside = Outside(
            Endpoints.of(settings.endpoints.google, settings.endpoints.atlassian),
            network({}),
            clock,
            SeededChance(os.getpid()),
        )
        with ExitStack() as stack:
            store = open_store(url)
            stack.callback(store.close)
            _without_fsync(store)
            self._counter.watch_commits(store)
            keys = [company.seal_key]
            opened = put_together(lambda: settings, store, keys, outside, lambda provider: SECRET)
            worker = sign_on(SERVICE, store, company.folder, clock, outside.chance)
            bridge = stack.enter_context(make_bridge(opened.oauth, opened.tokens, company.folder / "spool"))
            dispatch = Dispatch(store, clock, owner=worker.name, places=32)
            engine = SteppedEngine(dispatch, partial(sync_mailbox, bridge), clock, begin=lambda name, run: run())
            settled_in = self._turn(engine, store)
            if again:
                clock.tell({"at_rest": True})
                _lose_the_cursors(store, clock.now())
                self._turn(engine, store)
            engine.stop()
            worker.sign_off()
        points = [[p.number, p.when, p.what] for p in self._counter.points]
        self._up.write({"settled_in": settled_in, "looked_in": self._looked_in, "points": points})

    def _turn(self, engine: SteppedEngine, store: Store) -> float:
        """Tick until every mailbox was looked at and no thread is left; return after how many seconds that was."""
        clock, never = self._clock, threading.Event()
        begun, begun_at = clock.monotonic(), clock.now()
        while clock.monotonic() - begun < PATIENCE:
            if engine.tick():
                continue
            with store.read() as session:
                looked = session.exec(select(func.min(col(Mailbox.looked_at)))).one()
                unread = session.exec(select(func.count()).where(col(Mailbox.reason) != "")).one()
                due = session.exec(select(func.min(col(Mailbox.due_at)))).one()
                queued = threads.count(session)
            if looked is not None and looked >= begun_at and not unread:
                self._looked_in = self._looked_in or clock.monotonic() - begun
                if not queued:
                    return clock.monotonic() - begun
            clock.wait(never, max((due - clock.now()).total_seconds(), 1.0))
        raise RuntimeError(f"It had something left to do after {PATIENCE / 3600:g} hours.")


def _lose_the_cursors(store: Store, now: datetime) -> None:
    with store.write() as session:
        session.exec(update(Mailbox).values(cursor=None, due_at=now))
        session.exec(update(Follow).values(history_id=0))


def _without_fsync(store: Store) -> None:
    """Spare the disk: what a killed process committed the system still has."""

    def connected(connection: Any, record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    event.listen(store.engine, "connect", connected)
    store.engine.dispose()
