from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlmodel import select

from bridge.clock import VirtualClock
from bridge.daemon.dispatch import Dispatch
from bridge.errors import StoreLocked
from bridge.store import meta
from bridge.store.mailboxes import LEASE, Settled
from bridge.store.tables import Mailbox

from support.installation import NOON, Installation


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    return Installation.make(tmp_path, now=NOON)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


def dispatch(here: Installation, clock: VirtualClock, *, owner: str = "me", places: int = 8) -> Dispatch:
    return Dispatch(here.store, clock, owner=owner, places=places)


def row(here: Installation, box: Mailbox) -> Mailbox:
    with here.store.read() as session:
        return session.get_one(Mailbox, box.id)


def due(here: Installation, box: Mailbox, at: datetime) -> None:
    with here.store.write() as session:
        session.get_one(Mailbox, box.id).due_at = at


def addresses(boxes: list[Mailbox]) -> list[str]:
    return [box.address.partition("@")[0] for box in boxes]


def well(box: Mailbox, clock: VirtualClock, seconds: float = 60.0) -> Settled:
    return Settled(box.id or 0, clock.now() + timedelta(seconds=seconds))


@contextmanager
def statements(here: Installation) -> Iterator[list[str]]:
    """Give what is said to the database meanwhile, of which BEGIN IMMEDIATE takes the write lock."""
    said: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        said.append(statement)

    event.listen(here.store.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(here.store.engine, "before_cursor_execute", note)


def test_a_tick_claims_what_is_due_and_nothing_twice(here: Installation, clock: VirtualClock) -> None:
    ada, _ = here.person("Ada"), here.person("Ben")
    due(here, here.person("Cy"), NOON + timedelta(seconds=1))
    turning = dispatch(here, clock)
    assert addresses(turning.tick()) == ["ada", "ben"]
    assert (row(here, ada).lease, row(here, ada).lease_until) == ("me", NOON + LEASE)
    assert turning.pulse.at_work == 2
    clock.advance(1)
    assert addresses(turning.tick()) == ["cy"]
    assert turning.tick() == []


def test_what_ended_is_written_down_by_the_tick_that_claims(here: Installation, clock: VirtualClock) -> None:
    ada, ben = here.person("Ada"), here.person("Ben")
    due(here, ben, NOON + timedelta(seconds=5))
    turning = dispatch(here, clock)
    (claimed,) = turning.tick()
    turning.done(Settled(claimed.id or 0, NOON + timedelta(minutes=1), "Gmail did not answer.", 3))
    assert (turning.pulse.at_work, row(here, ada).lease) == (0, "me")
    clock.advance(5)
    with statements(here) as said:
        assert addresses(turning.tick()) == ["ben"]
    assert sum(statement.startswith("BEGIN IMMEDIATE") for statement in said) == 1
    settled = row(here, ada)
    assert (settled.lease, settled.lease_until, settled.reason, settled.tries) == ("", None, "Gmail did not answer.", 3)
    assert (settled.due_at, settled.looked_at) == (NOON + timedelta(minutes=1), NOON + timedelta(seconds=5))
    assert row(here, ben).lease == "me"


def test_no_more_than_there_are_places(here: Installation, clock: VirtualClock) -> None:
    for name in ("Ada", "Ben", "Cy"):
        here.person(name)
    turning = dispatch(here, clock, places=2)
    first, second = turning.tick()
    assert addresses([first, second]) == ["ada", "ben"]
    with statements(here) as said:
        assert turning.tick() == []
    assert said == []  # no place: it does not even ask
    turning.done(well(first, clock))
    assert addresses(turning.tick()) == ["cy"]


def test_two_dispatchers_share_by_leases(here: Installation, clock: VirtualClock) -> None:
    for name in ("Ada", "Ben", "Cy"):
        here.person(name)
    one, other = dispatch(here, clock, owner="one", places=2), dispatch(here, clock, owner="other")
    assert addresses(one.tick()) == ["ada", "ben"]
    assert addresses(other.tick()) == ["cy"]
    assert one.tick() == other.tick() == []
    clock.advance(LEASE.total_seconds() + 1)  # the first one died
    assert addresses(other.tick()) == ["ada", "ben"]


@pytest.mark.scenario("A7")
def test_an_idle_tick_reads_once_and_takes_no_write_lock(here: Installation, clock: VirtualClock) -> None:
    ada = here.person("Ada")
    turning = dispatch(here, clock)
    (claimed,) = turning.tick()
    turning.done(well(claimed, clock))
    turning.tick()
    before = row(here, ada)
    with statements(here) as said:
        for _ in range(59):
            clock.advance(1)
            assert turning.tick() == []
    assert not any(statement.startswith("BEGIN IMMEDIATE") for statement in said)
    assert {statement.split(maxsplit=1)[0] for statement in said} <= {"PRAGMA", "BEGIN", "SELECT"}
    assert sum(statement.startswith("SELECT") for statement in said) == 59
    assert row(here, ada) == before


@pytest.mark.scenario("A7")
def test_an_idle_poll_adds_no_row(here: Installation, clock: VirtualClock) -> None:
    for name in ("Ada", "Ben", "Cy"):
        here.person(name)
    turning = dispatch(here, clock)
    for _ in range(60):
        clock.advance(60)
        for box in turning.tick():
            turning.done(well(box, clock))
    turning.flush()
    with here.store.read() as session:
        assert len(session.exec(select(Mailbox)).all()) == 3


def test_a_refused_turn_loses_nothing(here: Installation, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = here.person("Ada")
    turning = dispatch(here, clock)
    (claimed,) = turning.tick()
    turning.done(well(claimed, clock))

    def locked() -> None:
        raise StoreLocked("Another process holds the database.")

    clock.advance(1)
    with monkeypatch.context() as patched:
        patched.setattr(here.store, "write", locked)
        with pytest.raises(StoreLocked):
            turning.tick()
        with pytest.raises(StoreLocked):
            turning.flush()
    assert turning.pulse.turned_at == clock.monotonic()
    assert row(here, ada).lease == "me"
    turning.tick()
    assert (row(here, ada).lease, row(here, ada).due_at) == ("", NOON + timedelta(seconds=60))


def test_after_a_pass_that_the_database_failed_it_must_prove_that_it_takes_rows(
    here: Installation, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.person("Ada")
    turning = dispatch(here, clock)
    turning.refused()

    def full(session: object, key: str, value: str) -> None:
        raise StoreLocked("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("bridge.daemon.dispatch.meta.put", full)
        for _ in range(2):
            with pytest.raises(StoreLocked):
                turning.tick()
    assert len(turning.tick()) == 1
    with here.store.read() as session:
        assert meta.get(session, "daemon.proof") == "", "what it was proven by is gone"


def test_flush_writes_down_and_claims_nothing(here: Installation, clock: VirtualClock) -> None:
    ada, ben = here.person("Ada"), here.person("Ben")
    turning = dispatch(here, clock, places=1)
    (claimed,) = turning.tick()
    turning.done(well(claimed, clock))
    turning.flush()
    assert (row(here, ada).lease, row(here, ada).due_at) == ("", NOON + timedelta(seconds=60))
    assert row(here, ben).lease == ""
    with statements(here) as said:
        turning.flush()
    assert said == []


def test_the_lease_of_a_long_pass_is_renewed(here: Installation, clock: VirtualClock) -> None:
    ada = here.person("Ada")
    turning, other = dispatch(here, clock), dispatch(here, clock, owner="other")
    assert addresses(turning.tick()) == ["ada"]
    for _ in range(30):
        clock.advance(60)
        assert turning.tick() == other.tick() == []
    assert (row(here, ada).lease, turning.pulse.at_work) == ("me", 1)
    assert NOON + timedelta(minutes=30) < (row(here, ada).lease_until or NOON)


def test_a_clock_set_forward_starts_no_second_flight(here: Installation, clock: VirtualClock) -> None:
    ada = here.person("Ada")
    turning = dispatch(here, clock)
    (claimed,) = turning.tick()
    clock.jump(3600)
    assert turning.tick() == []
    assert row(here, ada).lease_until == NOON + timedelta(hours=1) + LEASE
    turning.done(well(claimed, clock))
    clock.advance(61)
    assert addresses(turning.tick()) == ["ada"]


def test_a_clock_set_back_delays_nobody(here: Installation, clock: VirtualClock) -> None:
    here.person("Ada")
    turning = dispatch(here, clock)
    (claimed,) = turning.tick()
    turning.done(well(claimed, clock))
    turning.tick()
    clock.jump(-timedelta(days=1).total_seconds())
    assert addresses(turning.tick()) == ["ada"]
