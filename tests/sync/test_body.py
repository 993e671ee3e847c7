"""How a page or post comes to stand: its title, its body, its restriction, and what follows its publication."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.errors import (
    Answer,
    Refused,
    TooLarge,
)
from bridge.store.tables import (
    Entry,
    Follow,
    FollowState,
)

from support.sync import ENG, NOW
from support.sync_clients import gone, lost
from support.sync_desk import Desk, text
from support.sync_scene import scene

SIX_HOURS = timedelta(hours=6)


def test_a_taken_title_gets_the_date_and_then_a_number(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.confluence.taken = {"Plan", "Plan (19 Apr 2026)"}
        desk = Desk(made)
        assert desk.publish() is None
        assert [one.title for one in made.confluence.pages.values()] == ["Plan (19 Apr 2026) (2)"]
        assert desk.row.title == "Plan (19 Apr 2026) (2)"


def test_a_title_that_was_taken_in_between_is_tried_anew_when_publishing(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.confluence.script = ["ok", lost(sent=False)]
        desk.publish()
        made.confluence.taken = {"Plan"}
        assert desk.publish() is None
        assert [one.title for one in made.confluence.pages.values()] == ["Plan (19 Apr 2026)"]


def test_fifty_taken_titles_are_said_and_not_tried_without_end(tmp_path: Path) -> None:
    with scene(tmp_path) as made:

        class All(set[str]):
            def __contains__(self, title: object) -> bool:
                return True

        made.confluence.taken = All()
        desk = Desk(made)
        assert desk.publish() == NOW + SIX_HOURS
        assert made.confluence.calls.count("create_draft") == 50
        assert desk.state == (FollowState.NEEDS_SOMEBODY, "nobody")


@pytest.mark.parametrize("error", [Refused, TooLarge])
def test_a_body_that_confluence_does_not_take_is_published_plainly(
    tmp_path: Path, error: type[Refused] | type[TooLarge]
) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        no = error("no", provider="atlassian", answer=Answer(400, "Error parsing xhtml"))
        made.confluence.script = ["ok", no, "ok", "ok", "ok", no]
        assert desk.publish() is None
        assert len(made.confluence.pages) == len(made.confluence.all_comments) == 1
        assert "mailbridge=keym1" in next(iter(made.confluence.pages.values())).storage
        assert "mailbridge=keym2" in made.confluence.all_comments[0].storage
        refused = [outcome for what, outcome in desk.events() if what == "body refused"]
        assert set(refused) == {"plain text instead"}
        assert [one.fallback for one in made.rows(Entry)] == [error is Refused, True]


def test_what_is_refused_plainly_too_is_not_sent_again_and_again(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.confluence.refuse["publish"] = Refused("no", provider="atlassian")
        assert desk.publish() == NOW + SIX_HOURS
        assert desk.state == (FollowState.NEEDS_SOMEBODY, "nobody")


def test_a_private_route_restricts_the_draft_before_a_word_is_in_it(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made, route=replace(ENG, visibility="author"))
        made.confluence.script = ["ok"]
        assert desk.publish() is None
        [page] = made.confluence.pages
        assert made.confluence.allowed[page] == frozenset({"atlassian-ada@example.com"})
        calls = made.confluence.calls
        assert calls.index("readers") < calls.index("publish")


def test_where_the_site_does_not_restrict_nothing_is_published(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.confluence.restricts = False
        desk = Desk(made, route=replace(ENG, visibility="author"))
        assert desk.publish() == NOW + SIX_HOURS
        assert made.confluence.pages == {}
        assert desk.state == (FollowState.NEEDS_SOMEBODY, "person")
        assert "does not restrict" in made.rows(Follow)[0].detail


@pytest.mark.parametrize("operation", ["add_labels", "set_property"])
def test_a_refused_label_or_property_does_not_hold_the_replies_up(tmp_path: Path, operation: str) -> None:
    with scene(tmp_path) as made:
        made.confluence.refuse[operation] = Refused("no", provider="atlassian", answer=Answer(400, "bad"))
        desk = Desk(made)
        assert desk.publish() is None
        assert len(made.confluence.all_comments) == 1
        assert desk.publish() is None
        assert made.confluence.calls.count(operation) == 1


@pytest.mark.scenario("A4")
def test_a_blog_post_is_made_as_one(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made, route=replace(ENG, publish_as="blogpost"))
        assert desk.publish() is None
        assert [one.kind for one in made.confluence.pages.values()] == ["blogpost"]


def test_a_difference_that_is_read_back_is_told(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made, text(1))
        made.confluence.refuse["content"] = gone()
        desk.publish()
        assert ("read back", "the page is not there") in desk.events()
