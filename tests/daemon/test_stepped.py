from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.clock import VirtualClock
from bridge.daemon.dispatch import Dispatch
from bridge.daemon.stepped import SteppedEngine
from bridge.errors import BridgeError, StoreLocked
from bridge.store.mailboxes import Settled
from bridge.store.tables import Mailbox

from support.installation import NOON, Installation


class Bench:
    """An engine over one installation, whose passes run when the test says so."""

    def __init__(self, folder: Path, work: Callable[[Mailbox], Settled]) -> None:
        self.here = Installation.make(folder, now=NOON)
        self.clock = VirtualClock(NOON)
        self.begun: list[tuple[str, Callable[[], None]]] = []
        self.dispatch = Dispatch(self.here.store, self.clock, owner="one", places=5)
        self.engine = SteppedEngine(
            self.dispatch, work, self.clock, begin=lambda name, task: self.begun.append((name, task))
        )

    def row(self, box: Mailbox) -> Mailbox:
        with self.here.store.read() as session:
            return session.get_one(Mailbox, box.id)

    def run_all(self) -> None:
        while self.begun:
            self.begun.pop(0)[1]()


def later(box: Mailbox) -> Settled:
    return Settled(box.id or 0, NOON + timedelta(hours=1))


def test_a_tick_hands_over_what_is_due_and_the_next_writes_down_what_ended(tmp_path: Path) -> None:
    bench = Bench(tmp_path, later)
    box = bench.here.person("ada")
    assert bench.engine.tick() == 1
    assert [name for name, _ in bench.begun] == [f"mailbox {box.id}"]
    assert bench.row(box).lease == "one"
    assert bench.engine.tick() == 0
    bench.run_all()
    assert bench.row(box).lease == "one"
    assert bench.engine.tick() == 0
    assert (bench.row(box).lease, bench.row(box).due_at) == ("", NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("error", "reason"),
    [(BridgeError("Gmail is closed."), "Gmail is closed."), (KeyError("x"), "A fault of mailbridge; see its log.")],
)
def test_a_pass_that_fails_puts_its_mailbox_off_for_a_minute(tmp_path: Path, error: Exception, reason: str) -> None:
    def fails(box: Mailbox) -> Settled:
        raise error

    bench = Bench(tmp_path, fails)
    box = bench.here.person("ada")
    with capture_logs():
        bench.engine.tick()
        bench.run_all()
    bench.engine.tick()
    row = bench.row(box)
    assert (row.reason, row.due_at, row.tries) == (reason, NOON + timedelta(minutes=1), 1)


def test_a_stop_claims_nothing_more_and_gives_back_what_had_not_begun(tmp_path: Path) -> None:
    worked = []
    bench = Bench(tmp_path, lambda box: worked.append(box.id) or later(box))  # type: ignore[func-returns-value]
    box = bench.here.person("ada")
    due = bench.row(box).due_at
    bench.engine.tick()
    assert not bench.engine.stop()
    assert bench.engine.stopping
    bench.run_all()
    assert bench.engine.stop()
    assert bench.engine.tick() == 0
    assert (worked, bench.row(box).lease, bench.row(box).due_at) == ([], "", due)


def test_a_database_that_refuses_is_said_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, later)
    bench.here.person("ada")

    def refuse() -> None:
        raise StoreLocked("Another process holds the database.")

    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(bench.dispatch, "tick", refuse)
        patched.setattr(bench.dispatch, "flush", refuse)
        assert bench.engine.tick() == 0
    assert [entry["problem"] for entry in logs] == ["Another process holds the database."]
    assert bench.engine.tick() == 1
    bench.run_all()
    with monkeypatch.context() as patched, capture_logs():
        patched.setattr(bench.dispatch, "flush", refuse)
        assert not bench.engine.stop()


def test_what_is_to_be_seen_at_each_tick_is_seen_before_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, later)
    seen = []
    engine = SteppedEngine(
        bench.dispatch, later, bench.clock, begin=lambda name, task: None, each_tick=lambda: seen.append(1)
    )
    engine.tick()
    engine.tick()
    assert seen == [1, 1]
