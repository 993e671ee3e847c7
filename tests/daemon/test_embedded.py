from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.clock import SystemClock
from bridge.daemon.dispatch import Dispatch
from bridge.daemon.embedded import EmbeddedEngine
from bridge.errors import BridgeError, StoreError, StoreLocked
from bridge.store import mailboxes
from bridge.store.mailboxes import Settled
from bridge.store.tables import Mailbox

from support.installation import Installation

PATIENCE = 60


class Hands(SystemClock):
    """The machine's clock, which a test can set (``off`` seconds) and whose monotonic time it moves."""

    def __init__(self) -> None:
        self.off = 0.0
        self.elapsed = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.off)

    def monotonic(self) -> float:
        return self.elapsed


class Turns:
    """Counts the ticks; ``next`` waits for one that begins from now on."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    def __call__(self) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def next(self) -> None:
        with self._changed:
            reached = self.count + 1
            assert self._changed.wait_for(lambda: self.count >= reached, PATIENCE)


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    return Installation.make(tmp_path)


def row(here: Installation, box: Mailbox) -> Mailbox:
    with here.store.read() as session:
        return session.get_one(Mailbox, box.id)


def later(box: Mailbox) -> Settled:
    return Settled(box.id or 0, SystemClock().now() + timedelta(hours=1))


@contextmanager
def engine(
    here: Installation,
    work: Callable[[Mailbox], Settled],
    *,
    clock: SystemClock | None = None,
    turns: Callable[[], None] = lambda: None,
    threads: int = 4,
) -> Iterator[EmbeddedEngine]:
    time = clock or SystemClock()
    made = EmbeddedEngine(
        Dispatch(here.store, time, owner="me", places=8), work, time, threads=threads, each_tick=turns
    )
    made.start()
    try:
        yield made
    finally:
        if not made.stopping:
            made.stop(PATIENCE)


def test_ticks_run_work_in_the_pool(here: Installation) -> None:
    boxes = [here.person("Ada"), here.person("Ben")]
    together = threading.Barrier(2)
    names: set[str] = set()

    def work(box: Mailbox) -> Settled:
        together.wait(PATIENCE)  # both are under work at once
        names.add(threading.current_thread().name)
        return later(box)

    turns = Turns()
    with engine(here, work, turns=turns) as running:
        turns.next()
        turns.next()
        assert running.stop(PATIENCE) is True
    assert len(names) == 2
    assert all(name.startswith("sync") for name in names)
    assert [row(here, box).lease for box in boxes] == ["", ""]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("a secret of the mail"), "A fault of mailbridge; see its log."),
        (BridgeError("Put the key back."), "Put the key back."),
        (StoreLocked("Another process holds the database."), "Another process holds the database."),
    ],
)
def test_a_pass_that_raises_is_settled_with_a_reason_and_a_minute(
    here: Installation, error: Exception, reason: str
) -> None:
    box, raised = here.person("Ada", tries=2), threading.Event()
    begun = SystemClock().now()

    def work(box: Mailbox) -> Settled:
        raised.set()
        raise error

    with capture_logs() as lines, engine(here, work) as running:
        assert raised.wait(PATIENCE)
        assert running.stop(PATIENCE) is True
    settled = row(here, box)
    assert (settled.reason, settled.tries, settled.lease) == (reason, 3, "")
    assert timedelta(minutes=1) <= settled.due_at - begun <= timedelta(minutes=3)
    assert [line["log_level"] for line in lines if line["log_level"] not in ("debug", "info")] == ["error"]


def test_a_database_that_fails_every_pass_is_told_once_and_no_further_pass_begins(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Ada", "Ben", "Cy"):
        here.person(name)
    full = StoreError("The database cannot be used: database or disk is full.")
    turns, begun = Turns(), list[int]()

    def work(box: Mailbox) -> Settled:
        begun.append(box.id or 0)
        raise full

    def refused(session: object, key: str, value: str) -> None:
        raise full

    monkeypatch.setattr("bridge.daemon.dispatch.meta.put", refused)
    with capture_logs() as lines, engine(here, work, turns=turns) as running:
        while len(begun) < 3:
            turns.next()
        with here.store.write() as session:
            mailboxes.all_due(session, SystemClock().now())
        turns.next()
        turns.next()
        assert running.trouble == str(full)
        monkeypatch.undo()
        turns.next()
        turns.next()
        assert running.trouble == ""
    told = [line["event"] for line in lines if line["log_level"] in ("error", "info")]
    assert told == ["the database cannot be used", "the database works again"]
    assert sorted(begun) == [1, 2, 3]


def test_a_tick_that_fails_is_told_once_and_the_next_one_comes(here: Installation) -> None:
    turns = Turns()

    def failing() -> None:
        turns()
        if turns.count in (1, 2):
            raise StoreError("The database cannot be used: disk full.")
        if turns.count == 3:
            raise ValueError("unforeseen")

    with capture_logs() as lines, engine(here, later, turns=failing) as running:
        while turns.count < 5:
            turns.next()
        running.stop(PATIENCE)
    assert [(line["event"], line.get("problem")) for line in lines] == [
        ("the database cannot be used", "The database cannot be used: disk full."),
        ("a tick failed", None),
        ("the database works again", None),
    ]


def test_guard_starts_the_ticks_anew_after_the_clock_was_set_back(here: Installation) -> None:
    clock, turns = Hands(), Turns()
    clock.off = 3600.0  # the first tick is planned by a clock that is an hour ahead ...
    with capture_logs() as lines, engine(here, later, clock=clock, turns=turns) as running:
        clock.off = 0.0  # ... and set back before it comes
        assert running.guard() is True
        assert (turns.count, lines) == (0, [])
        clock.elapsed = 6.0
        assert running.guard() is True
        turns.next() if turns.count == 0 else None
        turns.next()
    assert lines[0]["event"] == "no tick came; started anew"
    assert lines[0]["seconds"] == 6


def test_guard_says_when_nothing_turns(here: Installation) -> None:
    clock, hung, go = Hands(), threading.Event(), threading.Event()

    def hang() -> None:
        hung.set()
        assert go.wait(PATIENCE)

    with capture_logs() as lines, engine(here, later, clock=clock, turns=hang) as running:
        assert hung.wait(PATIENCE)
        clock.elapsed = 30.0
        assert running.guard() is True
        clock.elapsed = 30.1
        assert running.guard() is False
        assert lines == []  # a tick is under way: another would only wait for it
        go.set()


def test_stop_waits_for_what_is_under_work_and_claims_nothing_more(here: Installation) -> None:
    ada, ben = here.person("Ada"), here.person("Ben")
    begun, told_to_stop, worked = threading.Event(), threading.Event(), []

    def work(box: Mailbox) -> Settled:
        worked.append(box.address)
        begun.set()
        assert told_to_stop.wait(PATIENCE)
        return later(box)

    with engine(here, work, threads=1) as running:
        assert begun.wait(PATIENCE)
        stopping = threading.Thread(target=lambda: finished.append(running.stop(PATIENCE)))
        finished: list[bool] = []
        stopping.start()
        while not running.stopping:
            told_to_stop.wait(0.01)
        here.person("Cy")
        told_to_stop.set()
        stopping.join(PATIENCE)
    assert finished == [True]
    assert worked == ["ada@example.com"]
    assert row(here, ada).due_at > SystemClock().now()
    assert (row(here, ben).lease, row(here, ben).due_at) == ("", here.ago(minutes=1))  # claimed, given back unlooked at


def test_stop_does_not_wait_for_ever(here: Installation) -> None:
    box, begun, go = here.person("Ada"), threading.Event(), threading.Event()

    def work(box: Mailbox) -> Settled:
        begun.set()
        assert go.wait(PATIENCE)
        return later(box)

    with engine(here, work) as running:
        assert begun.wait(PATIENCE)
        assert running.stop(0.05) is False
        go.set()
    assert row(here, box).lease == "me"


def test_stop_does_not_wait_for_ever_for_a_tick(here: Installation) -> None:
    box, hung, go = here.person("Ada"), threading.Event(), threading.Event()
    worked: list[str] = []

    def hang() -> None:
        hung.set()
        assert go.wait(PATIENCE)

    def work(box: Mailbox) -> Settled:
        worked.append(box.address)
        return later(box)

    with engine(here, work, turns=hang) as running:
        assert hung.wait(PATIENCE)
        assert running.stop(0.05) is False
        go.set()
    assert (worked, row(here, box).reason) == ([], "")


def test_stop_waits_for_what_runs_aside(here: Installation) -> None:
    done: list[str] = []
    with engine(here, later) as running:
        running.aside(lambda: done.append("refreshed"))
        assert running.stop(PATIENCE) is True
    assert done == ["refreshed"]


def test_a_stop_without_a_database_is_told(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    here.person("Ada")
    ended = threading.Event()

    def locked() -> None:
        raise StoreLocked("Another process holds the database.")

    def work(box: Mailbox) -> Settled:
        monkeypatch.setattr(here.store, "write", locked)
        ended.set()
        return later(box)

    with capture_logs() as lines, engine(here, work) as running:
        assert ended.wait(PATIENCE)
        assert running.stop(PATIENCE) is False
    assert lines[-1]["event"] == "the database cannot be used"
