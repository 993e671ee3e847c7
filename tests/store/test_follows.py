from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from bridge.store import follows
from bridge.store.tables import FollowState

from support import rows
from support.rows import NOW, after


def test_of_thread(session: Session) -> None:
    box, other = rows.mailbox(session), rows.mailbox(session, "bob@acme.example")
    first, second = rows.follow(session, box), rows.follow(session, box, route="news")
    rows.follow(session, box, "t2")
    rows.follow(session, other)
    assert follows.of_thread(session, box.id or 0, "t1") == [first, second]
    assert follows.of_thread(session, box.id or 0, "t3") == []


def test_of_threads_takes_many(session: Session) -> None:
    box = rows.mailbox(session)
    first, second = rows.follow(session, box), rows.follow(session, box, route="news")
    last = rows.follow(session, box, "x1199")
    rows.follow(session, box, "t2")
    wanted = ["t1", "t1", *(f"x{number}" for number in range(1200))]
    found = follows.of_threads(session, box.id or 0, wanted)
    assert found == {"t1": [first, second], "x1199": [last]}
    assert follows.of_threads(session, box.id or 0, []) == {}


def test_of_mailbox(session: Session) -> None:
    box, other = rows.mailbox(session), rows.mailbox(session, "bob@acme.example")
    mine = [rows.follow(session, box), rows.follow(session, box, "t2")]
    rows.follow(session, other)
    assert follows.of_mailbox(session, box.id or 0) == mine


def test_of_publication(session: Session) -> None:
    box, other = rows.mailbox(session), rows.mailbox(session, "bob@acme.example")
    page = rows.publication(session, box)
    both = [rows.follow(session, box, publication_id=page.id), rows.follow(session, other, publication_id=page.id)]
    rows.follow(session, box, "t2")
    assert follows.of_publication(session, page.id or 0) == both


def test_fresh_is_what_the_brake_counts(session: Session) -> None:
    box = rows.mailbox(session)
    counted: dict[str, dict[str, Any]] = {
        "now": {},
        "at the start": {"labelled_at": after(minutes=-10)},
        "held": {"state": FollowState.HELD, "reason": "brake"},
    }
    others: dict[str, dict[str, Any]] = {
        "older": {"labelled_at": after(minutes=-11)},
        "backlog": {"state": FollowState.HELD, "reason": "backlog"},
        "answered": {"answer": "publish"},
        "stopped": {"state": FollowState.STOPPED},
        "ignored": {"state": FollowState.IGNORED},
    }
    for thread_id, values in (counted | others).items():
        rows.follow(session, box, thread_id, **values)
    rows.follow(session, rows.mailbox(session, "bob@acme.example"), "another's")
    found = follows.fresh(session, box.id or 0, after(minutes=-10))
    assert {follow.thread_id for follow in found} == set(counted)


def test_waiting_the_longest_first(session: Session) -> None:
    box = rows.mailbox(session)
    for number, state in enumerate(FollowState):
        rows.follow(session, box, state.value, state=state, since=after(hours=-number))
    found = [follow.state for follow in follows.waiting(session)]
    assert found == [FollowState.NEEDS_SOMEBODY, FollowState.HELD]


def test_counts(session: Session) -> None:
    assert follows.counts(session) == {}
    box = rows.mailbox(session)
    for thread_id in ("t1", "t2"):
        rows.follow(session, box, thread_id)
    rows.follow(session, box, "t3", state=FollowState.TAKEN_DOWN)
    assert follows.counts(session) == {FollowState.FOLLOWING: 2, FollowState.TAKEN_DOWN: 1}
    assert all(isinstance(state, FollowState) for state in follows.counts(session))


def test_open_states_are_those_in_which_a_change_matters() -> None:
    assert set(FollowState) - set(follows.OPEN) == {FollowState.IGNORED, FollowState.STOPPED, FollowState.TAKEN_DOWN}


def test_a_thread_has_one_follow_under_a_route(session: Session) -> None:
    box = rows.mailbox(session)
    rows.follow(session, box, since=NOW)
    with pytest.raises(IntegrityError):
        rows.follow(session, box, since=after(hours=1))
