from __future__ import annotations

import threading
from datetime import datetime

import pytest
from sqlmodel import Session

from bridge.store import threads
from bridge.store.engine import Store
from bridge.store.tables import TouchedThread

from support import rows
from support.rows import NOW, after


@pytest.fixture
def box_id(session: Session) -> int:
    return rows.mailbox(session).id or 0


def touch(
    session: Session,
    box_id: int,
    thread_id: str = "t1",
    *,
    history_id: int = 100,
    due_at: datetime = NOW,
    unsure: bool = False,
) -> TouchedThread:
    threads.touch(session, box_id, thread_id, history_id=history_id, due_at=due_at, unsure=unsure)
    return queued(session, box_id)[thread_id]


def queued(session: Session, box_id: int) -> dict[str, TouchedThread]:
    session.expire_all()
    return {row.thread_id: row for row in threads.of_mailbox(session, box_id)}


def test_a_touched_thread_is_queued(session: Session, box_id: int) -> None:
    row = touch(session, box_id, history_id=2**40)
    assert row.model_dump(exclude={"id", "mailbox_id"}) == {
        "thread_id": "t1",
        "history_id": 2**40,
        "generation": 1,
        "due_at": NOW,
        "tries": 0,
        "failures": 0,
        "unsure": False,
    }


@pytest.mark.parametrize(("seconds", "expected"), [(5, 0), (-5, -5)])
def test_touched_again_the_earlier_time_stays(session: Session, box_id: int, seconds: int, expected: int) -> None:
    touch(session, box_id)
    row = touch(session, box_id, due_at=after(seconds=seconds))
    assert (row.due_at, row.generation) == (after(seconds=expected), 2)


@pytest.mark.parametrize(("history_id", "expected"), [(90, 100), (110, 110)])
def test_touched_again_the_larger_history_id_stays(
    session: Session, box_id: int, history_id: int, expected: int
) -> None:
    touch(session, box_id)
    assert touch(session, box_id, history_id=history_id).history_id == expected


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("second", [False, True])
def test_unsure_only_while_every_touch_is(session: Session, box_id: int, first: bool, second: bool) -> None:
    touch(session, box_id, unsure=first)
    assert touch(session, box_id, unsure=second).unsure is (first and second)


def test_touched_by_many_at_once(store: Store) -> None:
    with store.write() as session:
        box_id = rows.mailbox(session).id or 0
    start = threading.Barrier(4)

    def work(number: int) -> None:
        start.wait()
        with store.write() as session:
            threads.touch(session, box_id, "t1", history_id=number, due_at=after(seconds=-number))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with store.read() as session:
        (row,) = threads.of_mailbox(session, box_id)
    assert (row.generation, row.history_id, row.due_at) == (4, 3, after(seconds=-3))


def test_due_the_longest_waiting_first(session: Session, box_id: int) -> None:
    for thread_id, seconds in (("a", -1), ("b", -3), ("c", 0), ("d", 1), ("e", -1)):
        touch(session, box_id, thread_id, due_at=after(seconds=seconds))
    other = rows.mailbox(session, "bob@acme.example").id or 0
    touch(session, other, "z", due_at=after(seconds=-9))
    assert [row.thread_id for row in threads.due(session, box_id, NOW, 10)] == ["b", "a", "e", "c"]
    assert [row.thread_id for row in threads.due(session, box_id, NOW, 2)] == ["b", "a"]
    assert [row.thread_id for row in threads.due(session, other, NOW, 10)] == ["z"]


def test_next_due(session: Session, box_id: int) -> None:
    assert threads.next_due(session, box_id) is None
    touch(session, box_id, "a", due_at=after(hours=2))
    touch(session, box_id, "b", due_at=after(hours=1))
    assert threads.next_due(session, box_id) == after(hours=1)


def test_attempts_are_counted_and_taken_back(session: Session, box_id: int) -> None:
    row_id = touch(session, box_id).id or 0
    assert [threads.begin(session, row_id) for _ in range(3)] == [1, 2, 3]
    assert threads.begin(session, row_id + 1) is None, "another worker has looked meanwhile"
    session.flush()
    threads.uncount(session, row_id)
    assert queued(session, box_id)["t1"].tries == 2
    for _ in range(3):
        threads.uncount(session, row_id)
    assert queued(session, box_id)["t1"].tries == 0


def test_finish_takes_a_thread_off(session: Session, box_id: int) -> None:
    row = touch(session, box_id)
    touch(session, box_id, "t2")
    threads.finish(session, row.id or 0, row.generation)
    assert list(queued(session, box_id)) == ["t2"]


def test_finish_leaves_what_was_touched_meanwhile_without_its_attempt(session: Session, box_id: int) -> None:
    row = touch(session, box_id)
    row_id, seen = row.id or 0, row.generation
    for _ in range(4):  # a busy thread is no mail that kills the process
        assert threads.begin(session, row_id) == 1
        seen, before = touch(session, box_id).generation, seen
        threads.finish(session, row_id, before)
        assert (queued(session, box_id)["t1"].generation, queued(session, box_id)["t1"].tries) == (seen, 0)
    threads.finish(session, row_id, seen)
    assert queued(session, box_id) == {}


def test_an_attempt_that_did_not_end_stays_counted_when_touched(session: Session, box_id: int) -> None:
    row_id = touch(session, box_id).id or 0
    threads.begin(session, row_id)
    assert touch(session, box_id).tries == 1


def test_later_puts_a_thread_off(session: Session, box_id: int) -> None:
    row = touch(session, box_id)
    threads.begin(session, row.id or 0)
    threads.later(session, row.id or 0, after(minutes=5), row.generation, failures=3)
    row = queued(session, box_id)["t1"]
    assert (row.due_at, row.tries, row.failures, row.generation) == (after(minutes=5), 0, 3, 1)
    threads.later(session, row.id or 0, after(minutes=9), row.generation, tries=2)
    row = queued(session, box_id)["t1"]
    assert (row.due_at, row.tries, row.failures) == (after(minutes=9), 2, 0)


def test_later_keeps_the_time_of_a_touch_meanwhile(session: Session, box_id: int) -> None:
    row = touch(session, box_id)
    row_id, seen = row.id or 0, row.generation
    threads.begin(session, row_id)
    touch(session, box_id)
    threads.later(session, row_id, after(minutes=5), seen)
    row = queued(session, box_id)["t1"]
    assert (row.due_at, row.tries, row.generation) == (NOW, 0, 2)


def test_wake(session: Session, box_id: int) -> None:
    touch(session, box_id, due_at=after(hours=1))
    threads.wake(session, box_id, "t1", NOW)
    threads.wake(session, box_id, "t2", NOW)
    found = {name: (row.due_at, row.history_id) for name, row in queued(session, box_id).items()}
    assert found == {"t1": (NOW, 100), "t2": (NOW, 0)}


def test_drop(session: Session, box_id: int) -> None:
    other = rows.mailbox(session, "bob@acme.example").id or 0
    for box, thread_id in ((box_id, "t1"), (box_id, "t2"), (other, "t1")):
        touch(session, box, thread_id)
    threads.drop(session, box_id, "t1")
    assert (list(queued(session, box_id)), list(queued(session, other))) == (["t2"], ["t1"])


def test_count(session: Session, box_id: int) -> None:
    assert threads.count(session) == 0
    touch(session, box_id)
    touch(session, rows.mailbox(session, "bob@acme.example").id or 0)
    assert threads.count(session) == 2


def test_waking_what_is_queued_outlasts_a_look_that_is_under_way(session: Session) -> None:
    box, other = rows.mailbox(session), rows.mailbox(session, "ben@acme.example")
    for thread_id in ("t1", "t2"):
        threads.touch(session, box.id or 0, thread_id, history_id=1, due_at=after(hours=6))
    threads.touch(session, other.id or 0, "t1", history_id=1, due_at=after(hours=6))
    looked_at = threads.of_thread(session, box.id or 0, "t1")
    assert looked_at is not None
    generation = looked_at.generation
    threads.wake_queued(session, box.id or 0, NOW, ["t1"])
    threads.later(session, looked_at.id or 0, after(hours=6), generation)
    session.expire_all()
    assert [row.thread_id for row in threads.due(session, box.id or 0, NOW, 10)] == ["t1"]
    threads.wake_queued(session, box.id or 0, NOW)
    session.expire_all()
    assert [row.thread_id for row in threads.due(session, box.id or 0, NOW, 10)] == ["t1", "t2"]
    assert threads.due(session, other.id or 0, NOW, 10) == []


def test_trying_again_forgets_what_failed(session: Session) -> None:
    box = rows.mailbox(session)
    threads.touch(session, box.id or 0, "t1", history_id=7, due_at=after(hours=1))
    row = threads.of_thread(session, box.id or 0, "t1")
    assert row is not None
    row.tries, row.failures = 3, 9
    session.flush()
    threads.retry(session, box.id or 0, "t1", NOW)
    session.expire_all()
    row = threads.of_thread(session, box.id or 0, "t1")
    assert row is not None
    assert (row.tries, row.failures, row.due_at, row.history_id) == (0, 0, NOW, 7)
    threads.retry(session, box.id or 0, "t2", NOW)
    assert threads.of_thread(session, box.id or 0, "t2") is not None
