from __future__ import annotations

from typing import Any

from sqlmodel import Session

from bridge.store import events

from support import rows
from support.rows import NOW, after


def test_an_event_is_kept_whole(session: Session) -> None:
    owner = rows.account(session)
    facts: dict[str, Any] = {
        "route": "wiki",
        "thread_id": "t1",
        "remote_id": "9",
        "version": 2,
        "cause": "409",
        "outcome": "done",
        "detail": "{}",
    }
    events.tell(session, NOW, "publish", account_id=owner.id, **facts)
    (found,) = events.of_thread(session, "t1")
    assert found.model_dump(exclude={"id"}) == {"at": NOW, "what": "publish", "account_id": owner.id} | facts


def test_of_thread_is_in_the_order_of_writing(session: Session) -> None:
    events.tell(session, after(hours=1), "draft", thread_id="t1")
    events.tell(session, NOW, "other", thread_id="t2")
    events.tell(session, NOW, "publish", thread_id="t1")  # the clock was set back
    assert [event.what for event in events.of_thread(session, "t1")] == ["draft", "publish"]
    assert events.of_thread(session, "t3") == []


def test_after_goes_on_where_one_stopped(session: Session) -> None:
    for number in range(5):
        events.tell(session, NOW, f"event {number}")
    first = events.after(session, 0, limit=2)
    assert [event.what for event in first] == ["event 0", "event 1"]
    rest = events.after(session, first[-1].id or 0)
    assert [event.what for event in rest] == ["event 2", "event 3", "event 4"]
    assert events.after(session, rest[-1].id or 0) == []
