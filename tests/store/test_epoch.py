from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.clock import SeededChance, VirtualClock
from bridge.errors import StoreError
from bridge.store import epoch, events, meta
from bridge.store.beside import FileBeside, Noted
from bridge.store.engine import Store, open_store
from bridge.store.epoch import Epoch
from bridge.store.migrate import migrate

START = datetime(2026, 4, 20, 9, 0, tzinfo=UTC)
LATER = START + timedelta(hours=1)


class Place:
    """A database file with the file beside it; ``copy`` and ``put_back`` are the operator's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "mailbridge.db"
        self.beside = folder / "mailbridge.epoch"
        self.clock, self.seed = VirtualClock(START), 0
        migrate(f"sqlite:///{self.database}")

    @contextmanager
    def opened(self) -> Iterator[Store]:
        store = open_store(f"sqlite:///{self.database}")
        try:
            yield store
        finally:
            store.close()

    def enter(self, store: Store) -> Epoch:
        self.seed += 1
        return epoch.enter(store, epoch.file_for(str(self.database), None), self.clock, SeededChance(self.seed))

    def begin(self) -> Epoch:
        with self.opened() as store:
            return self.enter(store)

    def write(self, count: int, *, noted: bool = True) -> None:
        """Start, make so many writes, and stop; the last one is not noted where the process dies in between."""
        with self.opened() as store:
            self.enter(store)
            for number in range(count):
                self.clock.advance(1)
                with store.write() as session:
                    counted = epoch.count(session)
                    events.tell(session, self.clock.now(), "comment")
                if noted or number < count - 1:
                    assert store.noted(counted)

    def copy(self) -> bytes:
        with closing(sqlite3.connect(self.database)) as here, closing(sqlite3.connect(":memory:")) as saved:
            here.backup(saved)
            return saved.serialize()

    def put_back(self, copy: bytes) -> None:
        for suffix in ("-wal", "-shm"):
            self.database.with_name(self.database.name + suffix).unlink(missing_ok=True)
        self.database.write_bytes(copy)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_new_installation_lacks_nothing(place: Place) -> None:
    first = place.begin()
    assert (first.gap, first.since, first.entered, first.past) == (False, None, START, ())
    assert place.begin() == first
    assert place.beside.stat().st_mode & 0o777 == 0o600
    assert FileBeside(place.beside).read() == Noted(SeededChance(1).token(12), first.id, 0)


def test_writes_are_counted_and_noted(place: Place) -> None:
    place.write(3)
    with place.opened() as store, store.read() as session:
        assert epoch.counted(session) == 3
    noted = FileBeside(place.beside).read()
    assert noted is not None
    assert noted.writes == 3
    assert not place.begin().gap


def test_a_copy_that_lacks_one_write_is_recognised(place: Place) -> None:
    place.write(2)
    first, copy = place.begin(), place.copy()
    place.write(1)
    place.put_back(copy)
    place.clock.advance(3600)
    begun = place.begin()
    assert (begun.gap, begun.entered, begun.past) == (True, place.clock.now(), (first.id,))
    assert begun.since == START + timedelta(seconds=1), "the last few events: clocks are set"
    assert place.begin() == begun, "once is enough"
    with place.opened() as store, store.read() as session:
        assert epoch.counted(session) == 3
        told = events.last(session, epoch.PUT_BACK)
    assert told is not None


def test_a_copy_that_lacks_nothing_needs_no_look(place: Place) -> None:
    place.write(2)
    first, copy = place.begin(), place.copy()
    place.put_back(copy)
    assert place.begin() == first


def test_a_crash_between_commit_and_note_is_no_restore(place: Place) -> None:
    place.write(3, noted=False)
    assert not place.begin().gap
    noted = FileBeside(place.beside).read()
    assert noted is not None
    assert noted.writes == 3, "it has caught up"


def test_a_crash_between_the_new_epoch_and_its_note_ends(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = place.copy()
    place.write(2)
    place.put_back(copy)

    def dies(self: FileBeside, noted: Noted, *, durable: bool) -> int:
        raise StoreError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(FileBeside, "write", dies)
        with pytest.raises(StoreError):
            place.begin()
    begun = place.begin()
    assert begun.gap
    assert place.begin() == begun


def test_a_second_copy_is_recognised_by_the_epoch_alone(place: Place) -> None:
    copy = place.copy()
    place.write(1)
    place.put_back(copy)
    second = place.begin()
    place.put_back(copy)
    third = place.begin()
    assert (third.gap, third.id == second.id) == (True, False)


def test_the_gap_of_a_second_copy_reaches_back_to_the_first(place: Place) -> None:
    place.write(1)
    copy = place.copy()
    place.write(1)
    place.put_back(copy)
    first = place.begin()
    place.clock.advance(600)
    place.write(25)
    again = place.copy()
    place.write(1)
    place.put_back(again)
    assert place.begin().since == first.since
    place.clock.advance(timedelta(days=40).total_seconds())
    copy = place.copy()
    place.write(30)
    later = place.copy()
    place.write(1)
    place.put_back(later)
    since = place.begin().since
    assert since is not None
    assert since > START + timedelta(days=40), "what lies months back was caught up with"
    assert copy != later


def test_a_lost_file_and_a_copied_database_are_looked_through(place: Place) -> None:
    place.write(2)
    place.clock.advance(3600)
    place.beside.unlink()
    begun = place.begin()
    assert begun.gap
    assert place.begin() == begun


def test_a_database_that_was_lost_gets_its_installation_from_the_file(place: Place) -> None:
    empty = place.copy()
    place.write(2)
    noted = FileBeside(place.beside).read()
    place.put_back(empty)
    begun = place.begin()
    assert (begun.gap, begun.since) == (True, None), "everything may be missing"
    with place.opened() as store, store.read() as session:
        assert noted is not None
        assert meta.get(session, "installation") == noted.installation


def test_a_database_that_is_made_anew_before_anything_was_written_is_new(place: Place) -> None:
    empty = place.copy()
    place.begin()
    place.put_back(empty)
    assert not place.begin().gap


def test_a_file_that_came_from_a_backup_is_recognised(place: Place) -> None:
    place.write(2)
    assert not place.begin().gap
    content = place.beside.read_bytes()
    stamp = int(content.split(b"\n")[0])
    place.beside.write_bytes(content.replace(b"%d" % stamp, b"%d" % (stamp - 3_600_000_000_000)))
    assert place.begin().gap


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"12", b"half of\nwhat stood there"])
def test_a_file_of_which_a_power_failure_left_something_else(place: Place, content: bytes) -> None:
    place.write(2)
    place.clock.advance(3600)
    place.beside.write_bytes(content)
    assert place.begin().gap
    noted = FileBeside(place.beside).read()
    assert noted is not None
    assert noted.writes == 2


def test_a_file_that_cannot_be_used_is_said(place: Place) -> None:
    place.beside.mkdir()
    with pytest.raises(StoreError, match=r"^The file .*mailbridge.epoch beside the database cannot be used: "):
        place.begin()


def test_two_daemons_do_not_take_each_other_for_a_copy(place: Place) -> None:
    with place.opened() as one, place.opened() as other:
        first = place.enter(one)
        assert place.enter(other) == first
        numbers = []
        for store in (one, other, one):
            with store.write() as session:
                numbers.append(epoch.count(session))
        assert numbers == [1, 2, 3]
        assert other.noted(2)
        assert one.noted(3)
        assert one.noted(1), "late, and nothing was put back"
    assert place.begin() == first


def test_two_daemons_that_start_at_once(tmp_path: Path) -> None:
    place = Place(tmp_path)
    found: list[Epoch] = []
    start = threading.Barrier(2)

    def run(seed: int) -> None:
        with place.opened() as store:
            start.wait()
            found.append(epoch.enter(store, place.beside, place.clock, SeededChance(seed)))

    workers = [threading.Thread(target=run, args=(seed,)) for seed in (1, 2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found[0] == found[1]
    assert not found[0].gap


def test_a_database_that_is_put_back_under_a_running_daemon_stops_its_request(place: Place) -> None:
    with place.opened() as store:
        first = place.enter(store)
        for _ in range(2):
            with store.write() as session:
                number = epoch.count(session)
            assert store.noted(number)
        with store.write() as session:  # as PostgreSQL's tables are replaced below the connections
            meta.put(session, "writes", "0")
            number = epoch.count(session)
        assert not store.noted(number)
        with store.read() as session:
            begun = epoch.current(session)
        assert (begun.gap, begun.past) == (True, (first.id,))
        with store.write() as session:
            number = epoch.count(session)
        assert (number, store.noted(number)) == (3, True)


def test_without_a_file_nothing_is_recognised_and_all_works(store: Store) -> None:
    clock = VirtualClock(START)
    first = epoch.enter(store, None, clock, SeededChance(1))
    assert not first.gap
    with store.write() as session:
        assert [epoch.count(session), epoch.count(session)] == [1, 2]
    assert store.noted(2)
    assert epoch.enter(store, None, clock, SeededChance(2)) == first


def test_where_the_file_stands(tmp_path: Path) -> None:
    assert epoch.file_for("/var/lib/mailbridge/mailbridge.db", None) == Path("/var/lib/mailbridge/mailbridge.epoch")
    assert epoch.file_for(None, tmp_path) == tmp_path / "mailbridge.epoch"
    assert epoch.file_for(None, None) is None


def test_an_order_reaches_back_to_the_beginning_once(place: Place) -> None:
    with place.opened() as store:
        first = place.enter(store)
        with store.write() as session:
            ordered = epoch.order(session, LATER, SeededChance(9))
            assert (ordered.gap, ordered.since, ordered.entered, ordered.past) == (True, None, LATER, (first.id,))
            assert epoch.order(session, LATER + timedelta(days=1), SeededChance(10)) == ordered
    assert place.begin() == ordered


@pytest.mark.parametrize(
    ("known", "of", "made", "lacks"),
    [
        (Epoch("e2", LATER, gap=True), "e1", START, True),
        (Epoch("e2", LATER, gap=True), "e1", None, True),
        (Epoch("e2", LATER, gap=True), "e1", LATER + timedelta(minutes=14), True),
        (Epoch("e2", LATER, gap=True), "e1", LATER + timedelta(minutes=16), False),
        (Epoch("e2", LATER, gap=True), "e2", START, False),
        (Epoch("e2", LATER, gap=False), "e1", START, False),
        (Epoch(), "", None, False),
    ],
)
def test_what_may_be_lacking(known: Epoch, of: str, made: datetime | None, lacks: bool) -> None:
    assert known.may_lack(of, made, timedelta(minutes=15)) is lacks


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    before=st.integers(0, 3),
    after=st.integers(0, 3),
    noted=st.booleans(),
    starts=st.integers(0, 2),
)
def test_a_copy_is_recognised_exactly_where_it_lacks_a_write(
    tmp_path_factory: pytest.TempPathFactory, before: int, after: int, noted: bool, starts: int
) -> None:
    place = Place(tmp_path_factory.mktemp("epoch"))
    place.write(before)
    copy = place.copy()
    place.write(after, noted=noted)
    for _ in range(starts):
        place.begin()
    place.put_back(copy)
    sent = after if noted or starts else max(0, after - 1)
    assert place.begin().gap is (sent > 0), "a write that was not noted was not sent"
    assert os.access(place.beside, os.R_OK)
