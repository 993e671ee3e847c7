"""People order the bridge to rest and to go on; nothing is lost meanwhile, and nothing is written twice after it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from bridge.config import Route
from bridge.daemon.waiting import waiting
from bridge.store import pauses
from bridge.store.tables import Event
from bridge.sync import orders
from bridge.sync.orders import Scope

from support.stories import ADA, BEN, ENG, Story, story

OPS = Route(name="ops", label="Confluence/OPS", space="ENG")


def scope(s: Story, *, everything: bool = False, route: str = "", address: str = "") -> Scope:
    with s.company.oauth.store.read() as session:
        return orders.scope_of(session, s.settings, everything=everything, route=route, address=address)


def pause(s: Story, why: str = "", **what: Any) -> bool:
    with s.company.oauth.store.write() as session:
        return orders.pause(session, scope(s, **what), s.clock.now(), who="root", why=why)


def resume(s: Story, **what: Any) -> bool:
    with s.company.oauth.store.write() as session:
        return orders.resume(session, scope(s, **what), s.clock.now(), who="root")


def titles(s: Story) -> list[str]:
    return sorted(page.title for page in s.wiki.pages)


@pytest.mark.parametrize(
    "what", [{"everything": True}, {"route": "eng"}, {"address": ADA}], ids=["all", "route", "account"]
)
def test_a_pause_keeps_writing_away_and_loses_nothing(tmp_path: Path, what: dict[str, Any]) -> None:
    with story(tmp_path, ENG, OPS) as s:
        s.connect(ADA, BEN)
        first = s.send(BEN, ADA, "Before")
        s.label(ADA, first[ADA][1])
        s.passes()
        assert pause(s, **what)
        assert not pause(s, **what)
        mark = s.mark()
        sent = s.send(BEN, ADA, "Meanwhile")
        s.label(ADA, sent[ADA][1])
        s.reply(ADA, BEN, first, "A reply meanwhile.")
        s.passes(20)
        assert s.world.core.journal.writes(mark) == []
        assert s.calls(mark, person=ADA)["gmail.users.threads.get"] == 2, "each thread is read once and then left alone"
        s.install()
        s.passes(2)
        assert s.world.core.journal.writes(mark) == [], "it survives a restart"
        assert resume(s, **what)
        assert not resume(s, **what)
        s.passes(3)
        assert titles(s) == ["Before", "Meanwhile"]
        assert s.calls(mark)["createFooterComment"] == 1
        assert s.again_from_scratch() == []


def test_other_routes_and_other_people_go_on(tmp_path: Path) -> None:
    with story(tmp_path, ENG, OPS) as s:
        s.connect(ADA, BEN)
        pause(s, route="eng")
        pause(s, address=BEN)
        under_pause = s.send(BEN, ADA, "Under the route")
        of_ben = s.send(ADA, BEN, "As Ben")
        free = s.send(BEN, ADA, "Free")
        s.label(ADA, under_pause[ADA][1])
        s.label(BEN, of_ben[BEN][1], "Confluence/OPS")
        s.label(ADA, free[ADA][1], "Confluence/OPS")
        s.passes(3)
        assert titles(s) == ["Free"]
        resume(s, address=BEN)
        s.passes(3)
        assert titles(s) == ["As Ben", "Free"]
        resume(s, route="eng")
        s.passes(3)
        assert titles(s) == ["As Ben", "Free", "Under the route"]
        assert s.again_from_scratch() == []


def test_a_pause_in_the_middle_of_a_page_is_in_force_at_the_next_write(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        s.connect(ADA)
        sent = s.send(BEN, ADA, "Long", files=[("a.txt", "text/plain", b"a"), ("b.txt", "text/plain", b"b")])
        s.label(ADA, sent[ADA][1])
        mark = s.mark()
        s.world.core.faults.append(_After("createPage", lambda: pause(s, everything=True)))
        s.passes(3)
        assert [write.operation for write in s.world.core.journal.writes(mark)] == ["createPage"]
        assert titles(s) == []
        resume(s, everything=True)
        s.passes(3)
        assert titles(s) == ["Long"]
        assert len(s.wiki.wiki.files_on(s.wiki.pages[0].id)) == 2
        assert s.again_from_scratch() == []


class _After:
    """Does something once an operation has been answered."""

    def __init__(self, operation: str, act: Callable[[], object]) -> None:
        self.operation, self.act = operation, act

    def before(self, request: Request, operation: str, person: str) -> Response | None:
        return None

    def after(self, request: Request, operation: str, person: str, response: Response) -> Response:
        if operation == self.operation:
            self.act()
        return response


def test_what_waits_under_a_pause_says_so(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        s.connect(ADA)
        pause(s, "moving spaces", everything=True)
        sent = s.send(BEN, ADA, "Plan")
        s.label(ADA, sent[ADA][1])
        s.passes()
        with s.company.oauth.store.read() as session:
            rows = waiting(session, s.clock.now())
        assert [(row.id, row.whose, row.what) for row in rows] == [
            ("(all writing)", "operator", "paused by root: moving spaces. Go on: mailbridge resume --all"),
            (sent[ADA][1], "time", "writing is paused"),
        ]


def test_a_person_who_is_paused_yields_their_page_to_another_follower(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        s.connect(ADA, BEN)
        sent = s.send(ADA, BEN, "Shared")
        s.label(ADA, sent[ADA][1])
        s.passes()
        s.label(BEN, sent[BEN][1])
        s.passes()
        pause(s, address=ADA)
        s.reply(BEN, ADA, sent, "While Ada rests.")
        mark = s.mark()
        s.passes(5)
        assert {write.person for write in s.world.core.journal.writes(mark)} == {BEN}
        resume(s, address=ADA)
        assert s.again_from_scratch() == []


def test_orders_are_events_that_say_who_gave_them(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        s.connect(ADA)
        pause(s, "because", address=ADA)
        resume(s, address=ADA)
        told: list[Event] = [*s.events("paused"), *s.events("resumed")]
        assert [(event.what, event.cause, event.outcome[:8]) for event in told] == [
            ("paused", "by root", "account:"),
            ("resumed", "by root", "account:"),
        ]
        with s.company.oauth.store.read() as session:
            assert pauses.in_force(session, s.clock.now()) == []
