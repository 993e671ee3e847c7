from __future__ import annotations

import pytest
from sqlmodel import Session

from bridge.store import pauses

from support.rows import NOW, after

SCOPES = [pauses.ALL, pauses.of_route("eng"), pauses.of_account(7)]


@pytest.mark.parametrize("scope", SCOPES)
def test_a_pause_lasts_until_it_is_lifted(session: Session, scope: str) -> None:
    assert pauses.put(session, scope, NOW, why="by root", ordered=True)
    assert not pauses.put(session, scope, after(hours=1), why="by another", ordered=True)
    found = pauses.lasting(session, scope)
    assert found is not None
    assert (found.since, found.until, found.why, found.ordered) == (NOW, None, "by root", True)
    assert [row.scope for row in pauses.in_force(session, after(days=400))] == [scope]
    assert pauses.first(session, SCOPES, after(days=400)) is not None
    assert pauses.first(session, ["route:other", "account:8"], NOW) is None
    assert pauses.lift(session, scope)
    assert not pauses.lift(session, scope)
    assert pauses.in_force(session, NOW) == []


def test_one_with_an_end_ends_by_itself(session: Session) -> None:
    pauses.put(session, "site:c1", NOW, why="Confluence asked for it.", until=after(minutes=1))
    assert pauses.first(session, ["site:c1"], after(seconds=59)) is not None
    assert pauses.first(session, ["site:c1"], after(minutes=1)) is None
    assert pauses.in_force(session, after(minutes=1)) == []


def test_the_oldest_is_told_first(session: Session) -> None:
    pauses.put(session, "route:eng", after(minutes=1), why="b")
    pauses.put(session, "all", after(minutes=2), why="c")
    pauses.put(session, "account:1", NOW, why="a")
    assert [row.why for row in pauses.in_force(session, after(hours=1))] == ["a", "b", "c"]
    first = pauses.first(session, ["all", "route:eng"], after(hours=1))
    assert first is not None
    assert first.why == "b"
