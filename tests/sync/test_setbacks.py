"""Who is told what when a publication cannot go on, who is called, and how it is taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.confluence import Content, Version
from bridge.errors import Answer, PersonMustAct, Refused, Temporary
from bridge.store.tables import Event, Follow, FollowState, Publication, PublicationState, TouchedThread
from bridge.sync.setbacks import Setbacks

from support.sync import BEN, NOW
from support.sync_clients import gone
from support.sync_rows import add_follow, add_publication, hire
from support.sync_scene import Scene, scene

SIX_HOURS = timedelta(hours=6)
PAGE = Content("page", "77", "current", "Plan", "100", "", "a", Version(1, "", "a", NOW), "", "https://example.com/77")


class Page:
    """A published page of Ada's that Ben follows too; the setbacks are Ada's."""

    def __init__(self, made: Scene, status: str, **fields: Any) -> None:
        self.made, self.ben = made, hire(made.store, BEN)
        given: dict[str, Any] = {"state": PublicationState.PUBLISHED, "content_id": "77", "page_id": "77"} | fields
        self.publication = add_publication(made.store, made.box, **given)
        add_follow(made.store, made.box, publication_id=self.publication.id)
        add_follow(made.store, self.ben, "t2", publication_id=self.publication.id)
        self.setbacks = Setbacks(made.bridge, made.box, made.client, "t1")
        self.stands(status)

    def stands(self, status: str) -> None:
        self.made.confluence.pages = {"77": replace(PAGE, status=status)} if status else {}

    @property
    def row(self) -> Publication:
        [row] = self.made.rows(Publication)
        return row

    @property
    def reasons(self) -> list[str]:
        return [follow.reason for follow in self.made.rows(Follow)]

    @property
    def called(self) -> list[int]:
        return [row.mailbox_id for row in self.made.rows(TouchedThread)]


@pytest.mark.parametrize(("status", "reason"), [("trashed", "removed in Confluence"), ("archived", "page archived")])
def test_what_confluence_shows_holds_for_everybody_and_calls_nobody(tmp_path: Path, status: str, reason: str) -> None:
    with scene(tmp_path) as made:
        page = Page(made, status)
        assert page.setbacks.failed(page.publication.id or 0, gone()) == NOW + SIX_HOURS
        assert (page.row.remote, page.row.remote_at) == (status, NOW)
        assert (page.reasons, page.called) == ([reason, reason], [])
        assert [event.what for event in made.rows(Event)] == ["page away"]


def test_a_404_is_told_to_its_own_person_and_calls_the_other_once(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        page = Page(made, "")
        assert page.setbacks.failed(page.publication.id or 0, gone()) == NOW + SIX_HOURS
        assert (page.row.remote, page.reasons, page.called) == ("", ["hidden", ""], [page.ben.id])
        with made.store.write() as session:
            session.delete(session.get_one(TouchedThread, 1))
        waiting = page.setbacks.away(page.row)
        assert waiting is not None
        assert (waiting.until, page.called) == (NOW + SIX_HOURS, [])


def test_where_nobody_else_goes_on_the_page_is_hidden(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        page = Page(made, "")
        with made.store.write() as session:
            session.get_one(Follow, 2).state = FollowState.STOPPED
        page.setbacks.failed(page.publication.id or 0, gone())
        assert page.row.remote == "hidden"


def test_a_page_that_is_back_is_told_to_all_and_all_are_called(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        page = Page(made, "trashed")
        page.setbacks.failed(page.publication.id or 0, gone())
        page.stands("current")
        assert page.setbacks.away(page.row) is None
        assert (page.row.remote, page.row.url, page.row.title) == ("", "https://example.com/77", "Plan")
        assert {follow.state for follow in made.rows(Follow)} == {FollowState.FOLLOWING}
        assert page.called == [page.ben.id]
        assert [event.what for event in made.rows(Event)] == ["page away", "page back"]


def test_nothing_is_asked_of_a_page_that_nobody_took_away(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        page = Page(made, "current")
        assert page.setbacks.away(page.row) is None
        assert made.confluence.calls == []


def test_who_sees_the_page_and_may_not_write_is_told_that(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        page = Page(made, "current")
        refused = PersonMustAct("no", provider="atlassian", answer=Answer(403))
        page.setbacks.failed(page.publication.id or 0, refused)
        assert made.rows(Follow)[0].detail == (
            "You may see the page, but not comment on it or add files to it. "
            "Ask an admin of space ENG for that permission."
        )
        assert (page.reasons, page.called) == (["person", ""], [page.ben.id])


def test_a_look_that_fails_decides_nothing(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        page = Page(made, "trashed")
        made.confluence.refuse["content"] = Temporary("later", provider="atlassian")
        again = page.setbacks.failed(page.publication.id or 0, gone())
        assert again is not None
        assert again < NOW + timedelta(minutes=1)
        assert (page.row.remote, page.reasons) == ("", ["", ""])


def test_a_draft_that_is_refused_for_its_text_is_not_looked_at(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        page = Page(made, "", state=PublicationState.DRAFTED)
        page.setbacks.failed(page.publication.id or 0, Refused("no", provider="atlassian"))
        assert (made.confluence.calls, page.reasons) == ([], ["nobody", ""])


def test_success_takes_back_what_was_said_to_its_own_person(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        page = Page(made, "current")
        page.setbacks.failed(page.publication.id or 0, Refused("no", provider="atlassian"))
        page.setbacks.succeeded(page.publication.id or 0)
        assert (page.row.tries, page.row.reason, page.row.detail, page.reasons) == (0, "", "", ["", ""])
