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


def test_news_alone_are_told(session: Session) -> None:
    owner, other = rows.account(session), rows.account(session, "ben@acme.example")

    def planned(detail: str, **more: Any) -> None:
        events.tell_news(session, NOW, "planned", detail=detail, thread_id="t1", **{"account_id": owner.id} | more)

    planned("a")
    planned("a")
    planned("b")
    planned("a")
    planned("a", route="wiki")
    planned("a", account_id=other.id)
    planned("a", cause="mail m1")
    assert [event.detail for event in events.of_thread(session, "t1")] == ["a", "b", "a", "a", "a", "a"]


def test_chosen_by_what_is_asked(session: Session) -> None:
    owner = rows.account(session)
    events.tell(session, NOW, "mail read", account_id=owner.id, thread_id="t1")
    events.tell(session, after(hours=1), "publish", route="wiki", thread_id="t1")
    events.tell(session, after(hours=2), "mail read", thread_id="t2")

    def found(**filters: Any) -> list[tuple[str, str]]:
        return [(event.what, event.thread_id) for event in events.chosen(session, **filters)]

    assert found() == [("mail read", "t1"), ("publish", "t1"), ("mail read", "t2")]
    assert found(account_id=owner.id) == [("mail read", "t1")]
    assert found(thread_id="t1", what="pub") == [("publish", "t1")]
    assert found(route="wiki") == [("publish", "t1")]
    assert found(since=after(hours=1)) == [("publish", "t1"), ("mail read", "t2")]
    assert found(until=after(hours=1)) == [("mail read", "t1")]
    assert found(limit=2) == [("publish", "t1"), ("mail read", "t2")]
    assert found(what="m_il") == []


def test_the_last_of_a_kind(session: Session) -> None:
    owner = rows.account(session)
    assert events.last(session, "x") is None
    events.tell(session, NOW, "x", account_id=owner.id, cause="1")
    events.tell(session, NOW, "x", thread_id="t1", cause="2")
    told = [events.last(session, "x", **by) for by in ({}, {"account_id": owner.id}, {"thread_id": "t1"})]
    assert [event.cause for event in told if event] == ["2", "1", "2"]


def test_what_is_older_than_400_days_goes_a_few_at_a_time(session: Session) -> None:
    for days in range(5):
        events.tell(session, after(days=days), f"day {days}")
    before = after(days=403) - events.KEPT
    assert events.purge(session, before, limit=2) == 2
    assert events.purge(session, before, limit=2) == 1
    assert events.purge(session, before) == 0
    assert [event.what for event in events.after(session, 0)] == ["day 3", "day 4"]
