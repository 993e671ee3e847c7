from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bridge.errors import BridgeError
from bridge.store.engine import Store
from bridge.store.tables import Entry, EntryState, Event, Follow, FollowState, Mailbox, TouchedThread
from bridge.sync.held import CROWD_CHOICES, ONE_CHOICES, Held, answer, held
from bridge.sync.plan import plan

from support.sync import BEN, NOW, follow, mail, situation
from support.sync_rows import add_entry, add_follow, add_publication, hire, new_store, rows

HELD = FollowState.HELD


def waiting(store: Store) -> list[Held]:
    with store.read() as session:
        return held(session)


def crowd(store: Store, box: Mailbox, size: int, reason: str = "brake", route: str = "eng") -> None:
    for number in range(size):
        add_follow(store, box, f"{route}{number}", route=route, state=HELD, reason=reason, question="?")


@pytest.mark.scenario("X9")
def test_a_crowd_is_one_question(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        ada, ben = hire(store), hire(store, BEN)
        crowd(store, ada, 800)
        crowd(store, ada, 3, reason="backlog", route="hr")
        crowd(store, ben, 1)
        found = {one.id: one for one in waiting(store)}
        assert set(found) == {"brake:ada@example.com:eng", "backlog:ada@example.com:hr", "brake:ben@example.com:eng"}
        many = found["brake:ada@example.com:eng"]
        assert (len(many.threads), many.choices) == (800, CROWD_CHOICES)
        assert many.detail == "800 threads that were labelled in one go."
        assert found["backlog:ada@example.com:hr"].detail == "3 threads that were labelled before you connected."
        assert found["brake:ben@example.com:eng"].detail == "1 thread that was labelled in one go."


@pytest.mark.scenario("X9")
@pytest.mark.parametrize("reason", ["brake", "backlog"])
@pytest.mark.parametrize(
    ("choice", "state", "queued"),
    [
        ("publish", FollowState.FOLLOWING, 3),
        ("new", FollowState.IGNORED, 0),
        ("ignore", FollowState.IGNORED, 0),
    ],
)
def test_an_answer_to_a_crowd_holds_for_each_of_it(
    tmp_path: Path, reason: str, choice: str, state: FollowState, queued: int
) -> None:
    with new_store(tmp_path) as store:
        box = hire(store, due_at=NOW + timedelta(hours=1))
        crowd(store, box, 3, reason)
        add_follow(store, box, "apart", route="hr", state=HELD, reason=reason)
        answer(store, f"{reason}:ada@example.com:eng", choice, NOW)
        answered = [one for one in rows(store, Follow) if one.route == "eng"]
        assert {(one.state, one.answer, one.question, one.since) for one in answered} == {(state, choice, "", NOW)}
        assert len(rows(store, TouchedThread)) == queued
        assert rows(store, Mailbox)[0].due_at == NOW
        assert [one.route for one in waiting(store)] == ["hr"]
        told = rows(store, Event)[0]
        assert (told.what, told.cause, told.outcome, told.account_id) == ("answered", reason, f"{choice} (3)", 1)


def test_a_published_crowd_does_not_wait_again(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        box = hire(store)
        crowd(store, box, 1)
        answer(store, "brake:ada@example.com:eng", "publish", NOW)
        [row] = rows(store, Follow)
        known = follow(state=row.state, reason=row.reason, answer=row.answer, not_before=row.not_before)
        assert [one.where for one in plan(situation(mail(), follows=[known]))] == ["new"]


def test_a_thread_that_is_a_blind_copy_is_answered_by_its_id(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        box = hire(store)
        for thread_id in ("t1", "t2"):
            add_follow(store, box, thread_id, state=HELD, reason="blind copy", question="Publish?", subject="Plan")
        found = waiting(store)
        assert [(one.id, one.choices, one.subject) for one in found] == [
            ("t1", ONE_CHOICES, "Plan"),
            ("t2", ONE_CHOICES, "Plan"),
        ]
        assert answer(store, "t1", "publish", NOW).threads == ("t1",)
        answer(store, "t2", "leave-out", NOW)
        first, second = rows(store, Follow)
        assert (first.state, first.answer, first.detail) == (FollowState.FOLLOWING, "publish", "")
        assert (second.state, second.answer) == (FollowState.IGNORED, "leave-out")
        assert {one.thread_id for one in rows(store, TouchedThread)} == {"t1", "t2"}
        known = follow(state=first.state, reason=first.reason, answer=first.answer)
        [decision] = plan(situation(mail(sender="eve@acme.example"), follows=[known]))
        assert decision.where == "new"
        assert waiting(store) == []


def held_entry(store: Store) -> Entry:
    box = hire(store)
    publication = add_publication(store, box)
    add_follow(store, box, publication_id=publication.id, subject="Plan")
    add_entry(store, publication, box, mail(1), state=EntryState.DONE)
    add_entry(store, publication, box, mail(3), ordinal=2, state=EntryState.DONE)
    return add_entry(
        store, publication, box, mail(2), ordinal=1, state=EntryState.HELD, reason="narrow reply", question="Publish?"
    )


def test_a_released_reply_comes_last(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        entry = held_entry(store)
        [item] = waiting(store)
        assert (item.id, item.route, item.subject, item.choices) == (entry.key, "eng", "Plan", ONE_CHOICES)
        answer(store, entry.key, "publish", NOW)
        released = rows(store, Entry)[2]
        assert (released.state, released.ordinal, released.answer) == (EntryState.PLANNED, 3, "publish")
        assert [one.thread_id for one in rows(store, TouchedThread)] == ["t1"]
        assert rows(store, Follow)[0].state is FollowState.FOLLOWING


def test_a_reply_that_is_left_out_stays_out(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        entry = held_entry(store)
        answer(store, entry.key, "leave-out", NOW)
        left = rows(store, Entry)[2]
        assert (left.state, left.ordinal) == (EntryState.GIVEN_UP, 1)
        assert waiting(store) == []


def test_an_answer_that_fits_nothing_changes_nothing(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        entry = held_entry(store)
        with pytest.raises(BridgeError, match='Nothing waits under "nix"'):
            answer(store, "nix", "publish", NOW)
        with pytest.raises(BridgeError, match='"new" is no answer to this'):
            answer(store, entry.key, "new", NOW)
        assert rows(store, Entry)[2].state is EntryState.HELD
        assert rows(store, Event) == rows(store, TouchedThread) == []


def test_the_longest_waiting_is_first(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        box = hire(store)
        for hours, thread_id in ((1, "t1"), (3, "t3"), (2, "t2")):
            add_follow(store, box, thread_id, state=HELD, reason="blind copy", since=NOW - timedelta(hours=hours))
        assert [one.id for one in waiting(store)] == ["t3", "t2", "t1"]
