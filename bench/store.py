"""How fast the mailboxes of a large company are claimed and given back when nothing happens."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import func, select
from sqlmodel import SQLModel

from bench.figures import Figure
from bridge.clock import SystemClock
from bridge.daemon.dispatch import Dispatch
from bridge.store.engine import Store, open_store
from bridge.store.mailboxes import Settled
from bridge.store.migrate import migrate
from bridge.store.tables import Account, Mailbox

EVERY_SECONDS = 30
"""How often each of the 10,000 mailboxes of the largest company is polled."""


def measure(mailboxes: int = 10_000, places: int = 32) -> list[Figure]:
    """Let a dispatcher take every mailbox once, ``places`` at a time, with work that takes no time."""
    clock = SystemClock()
    with TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name)}/bench.db"
        migrate(url)
        store = open_store(url)
        _people(store, mailboxes, clock)
        before = _rows(store)
        dispatch = Dispatch(store, clock, owner="bench", places=places)
        later = clock.now() + timedelta(hours=1)
        claimed = 0
        began, cpu = time.perf_counter(), time.process_time()
        while boxes := dispatch.tick():
            claimed += len(boxes)
            for box in boxes:
                dispatch.done(Settled(box.id or 0, later))
        dispatch.flush()
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
        added = _rows(store) - before
        store.close()
    assert claimed == mailboxes, f"{claimed} of {mailboxes} mailboxes were claimed"
    return [
        Figure(
            f"store: {mailboxes:,} idle mailboxes", claimed / seconds, "claims/s", "at least", mailboxes / EVERY_SECONDS
        ),
        Figure("store: a claim and its return", cpu_seconds / claimed * 1000, "ms CPU"),
        Figure("store: rows added by them", added, "rows", "at most", 0),
    ]


def _people(store: Store, count: int, clock: SystemClock) -> None:
    now = clock.now()
    with store.write() as session:
        accounts = [Account(address=f"person{number}@example.com", created_at=now) for number in range(count)]
        session.add_all(accounts)
        session.flush()
        session.add_all(
            Mailbox(account_id=one.id or 0, address=one.address, cursor=1, due_at=now, full_pass_at=now)
            for one in accounts
        )


def _rows(store: Store) -> int:
    with store.read() as session:
        tables = SQLModel.metadata.sorted_tables
        return sum(int(session.execute(select(func.count()).select_from(table)).scalar_one()) for table in tables)
