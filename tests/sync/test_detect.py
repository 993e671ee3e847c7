from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.config import Gmail as GmailSettings
from bridge.errors import NotFound, Temporary
from bridge.gmail import Touched
from bridge.store.tables import Event, Follow, FollowState, Mailbox, TouchedThread
from bridge.store.tables import Label as LabelRow
from bridge.sync.detect import HISTORY_UNUSABLE, detect, labels_key, route_labels

from support.sync import ENG, HR, LABEL, NOW, settings
from support.sync_rows import add_follow, add_publication
from support.sync_scene import Scene, scene

WAIT = timedelta(seconds=15)
FULL = f"threads {LABEL}"


def look(made: Scene) -> bool:
    """Detect once, with the mailbox as it stands."""
    [box] = made.rows(Mailbox)
    return detect(made.bridge, box, made.api, made.settings)


def queue(made: Scene) -> dict[str, TouchedThread]:
    return {row.thread_id: row for row in made.rows(TouchedThread)}


def follows(made: Scene) -> dict[str, Follow]:
    return {row.thread_id: row for row in made.rows(Follow)}


def seen(history_id: int = 150, *labels: str, **more: Any) -> Touched:
    return Touched(history_id, frozenset(labels), **more)


def test_a_quiet_mailbox_costs_one_call_and_writes_nothing_but_a_new_cursor(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.gmail.cursor = 100
        assert look(made) is False
        made.gmail.cursor = 130
        assert look(made) is False
        assert made.gmail.calls == ["history", "history"]
        assert (made.rows(Mailbox)[0].cursor, queue(made)) == (130, {})


@pytest.mark.scenario("A19")
@pytest.mark.scenario("A2")
def test_a_label_that_is_seen_begins_a_follow_and_its_wait(tmp_path: Path) -> None:
    """A label put on and one that a filter gave on arrival are both among a record's labels."""
    with scene(tmp_path, settings(wait=15.0)) as made:
        made.gmail.records = {"t1": seen(150, "INBOX", LABEL)}
        assert look(made) is True
        [follow] = made.rows(Follow)
        assert (follow.route, follow.state, follow.reason) == ("eng", FollowState.FOLLOWING, "wait")
        assert (follow.labelled_at, follow.not_before) == (NOW, NOW + WAIT)
        [row] = made.rows(TouchedThread)
        assert (row.thread_id, row.history_id, row.due_at, row.unsure) == ("t1", 150, NOW + WAIT, False)
        [box] = made.rows(Mailbox)
        assert (box.cursor, box.news_at) == (200, NOW)
        assert made.gmail.calls == ["history"]


def test_threads_without_a_routed_label_are_dropped_unread(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.gmail.names["Label_9"] = "Private"
        made.gmail.records = {"t1": seen(150, "INBOX"), "t2": seen(151, "INBOX", "Label_9")}
        assert look(made) is False
        assert (queue(made), follows(made), made.rows(Mailbox)[0].cursor) == ({}, {}, 200)


@pytest.mark.scenario("A3")
def test_a_reply_without_the_label_touches_a_followed_thread_at_once(tmp_path: Path) -> None:
    with scene(tmp_path, settings(wait=15.0)) as made:
        publication = add_publication(made.store, made.box)
        add_follow(made.store, made.box, publication_id=publication.id, not_before=NOW + WAIT)
        made.gmail.records = {"t1": seen(150, "INBOX")}
        assert look(made) is True
        assert queue(made)["t1"].due_at == NOW


def test_a_reply_in_the_wait_does_not_shorten_it(tmp_path: Path) -> None:
    with scene(tmp_path, settings(wait=15.0)) as made:
        made.gmail.records = {"t1": seen(150, LABEL)}
        look(made)
        made.clock.advance(5)
        made.gmail.records = {"t1": seen(160, "INBOX")}
        look(made)
        row = queue(made)["t1"]
        assert (row.due_at, row.history_id, row.generation) == (NOW + WAIT, 160, 2)


def test_a_record_without_labels_is_queued_as_unsure(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.gmail.records = {"t1": seen(150, unsure=True)}
        assert look(made) is True
        assert (queue(made)["t1"].unsure, queue(made)["t1"].due_at, follows(made)) == (True, NOW, {})


@pytest.mark.scenario("A13")
@pytest.mark.scenario("A14")
def test_a_stopped_thread_is_left_alone_until_its_label_is_back(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        publication = add_publication(made.store, made.box)
        add_follow(
            made.store, made.box, publication_id=publication.id, state=FollowState.STOPPED, reason="label removed"
        )
        made.gmail.records = {"t1": seen(150, "INBOX")}
        assert look(made) is False
        made.gmail.records = {"t1": seen(160, "INBOX", LABEL)}
        assert look(made) is True
        follow = follows(made)["t1"]
        assert (follow.state, follow.reason, follow.since) == (FollowState.FOLLOWING, "", NOW)


@pytest.mark.parametrize("reason", ["brake", "backlog"])
def test_what_waits_for_an_answer_is_touched_only_by_its_label_going(tmp_path: Path, reason: str) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box, state=FollowState.HELD, reason=reason)
        made.gmail.records = {"t1": seen(150, "INBOX")}
        assert look(made) is False
        made.gmail.records = {"t1": seen(151, removed=frozenset({LABEL}))}
        assert look(made) is True


def test_what_is_ignored_is_touched_only_where_news_were_asked_for(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box, "t1", state=FollowState.IGNORED, answer="ignore")
        add_follow(made.store, made.box, "t2", state=FollowState.IGNORED, answer="new")
        made.gmail.records = {"t1": seen(150, "INBOX"), "t2": seen(151, "INBOX")}
        look(made)
        assert set(queue(made)) == {"t2"}


@pytest.mark.scenario("X9")
def test_the_brake_holds_all_of_a_crowd_before_anything_is_fetched(tmp_path: Path) -> None:
    with scene(tmp_path, settings(brake=(20, 600.0))) as made:
        made.gmail.records = {f"t{n}": seen(150 + n, LABEL) for n in range(21)}
        look(made)
        assert {(one.state, one.reason) for one in follows(made).values()} == {(FollowState.HELD, "brake")}
        assert len(follows(made)) == 21
        assert (queue(made), made.gmail.calls) == ({}, ["history"])


def test_twenty_are_no_crowd_and_the_twenty_first_within_the_time_makes_one(tmp_path: Path) -> None:
    with scene(tmp_path, settings(brake=(20, 600.0))) as made:
        made.gmail.records = {f"t{n}": seen(150 + n, LABEL) for n in range(20)}
        look(made)
        assert len(queue(made)) == 20
        made.clock.advance(599)
        made.gmail.records = {"last": seen(190, LABEL)}
        look(made)
        assert {one.reason for one in follows(made).values()} == {"brake"}
        assert queue(made) == {}


def test_threads_that_came_longer_ago_do_not_count(tmp_path: Path) -> None:
    with scene(tmp_path, settings(brake=(20, 600.0))) as made:
        made.gmail.records = {f"t{n}": seen(150 + n, LABEL) for n in range(20)}
        look(made)
        made.clock.advance(601)
        made.gmail.records = {"last": seen(190, LABEL)}
        look(made)
        assert len(queue(made)) == 21


def test_the_brake_spares_what_a_braked_thread_publishes_elsewhere(tmp_path: Path) -> None:
    with scene(tmp_path, settings(ENG, HR, brake=(1, 600.0)), labels_key="confluence/eng\nconfluence/hr") as made:
        publication = add_publication(made.store, made.box)
        add_follow(made.store, made.box, "t1", route="hr", publication_id=publication.id)
        made.gmail.records = {"t1": seen(150, LABEL), "t2": seen(151, LABEL)}
        look(made)
        assert set(queue(made)) == {"t1"}
        assert {one.route: one.state for one in made.rows(Follow)} == {
            "hr": FollowState.FOLLOWING,
            "eng": FollowState.HELD,
        }


def test_an_answered_crowd_is_not_braked_again(tmp_path: Path) -> None:
    with scene(tmp_path, settings(brake=(20, 600.0))) as made:
        for number in range(30):
            add_follow(made.store, made.box, f"t{number}", labelled_at=NOW, answer="publish", reason="brake")
        made.gmail.records = {"new": seen(190, LABEL)}
        look(made)
        assert set(queue(made)) == {"new"}


def first_pass(tmp_path: Path, mailbox: str, config: str) -> tuple[Follow, int]:
    with scene(
        tmp_path, settings(brake=(1, 600.0), backlog=config), cursor=None, full_pass_at=None, backlog=mailbox
    ) as made:
        made.gmail.listed = {LABEL: [("t1", 90), ("t2", 91), ("t3", 92)]}
        look(made)
        found = follows(made)
        assert len({(one.state, one.answer, one.reason) for one in found.values()}) == 1
        assert {one.reason for one in found.values()} == {"backlog"}
        assert made.gmail.calls == ["profile", "labels", FULL]
        [box] = made.rows(Mailbox)
        assert (box.cursor, box.cursor_from_profile_at, box.full_pass_at) == (200, NOW, NOW)
        return found["t1"], len(queue(made))


@pytest.mark.parametrize(
    ("mailbox", "config", "state", "answer", "queued"),
    [
        ("ask", "ask", FollowState.HELD, "", 0),
        ("ask", "publish", FollowState.FOLLOWING, "publish", 3),
        ("ask", "ignore", FollowState.IGNORED, "ignore", 0),
        ("publish", "ask", FollowState.FOLLOWING, "publish", 3),
        ("ignore", "publish", FollowState.IGNORED, "ignore", 0),
    ],
)
def test_what_was_labelled_before_goes_as_the_person_chose(
    tmp_path: Path, mailbox: str, config: str, state: FollowState, answer: str, queued: int
) -> None:
    follow, found = first_pass(tmp_path, mailbox, config)
    assert (follow.state, follow.answer, found) == (state, answer, queued)


def test_only_what_is_new_is_looked_at_once_and_then_left(tmp_path: Path) -> None:
    follow, _ = first_pass(tmp_path, "new", "ask")
    assert (follow.state, follow.answer) == (FollowState.IGNORED, "new")


def test_another_set_of_labels_is_a_full_pass_and_no_backlog(tmp_path: Path) -> None:
    with scene(tmp_path, settings(ENG, HR)) as made:
        made.gmail.names["Label_2"] = "Confluence/HR"
        made.gmail.listed = {"Label_2": [("t1", 90)]}
        look(made)
        assert [(one.route, one.reason) for one in made.rows(Follow)] == [("hr", "wait")]
        assert made.rows(Mailbox)[0].labels_key == "confluence/eng\nconfluence/hr"
        made.gmail.calls.clear()
        look(made)
        assert made.gmail.calls == ["history"]


def test_every_six_hours_a_full_pass_spares_what_was_read(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box, "read", history_id=90)
        add_follow(made.store, made.box, "changed", history_id=90)
        made.gmail.listed = {LABEL: [("read", 90), ("changed", 95), ("found", 80)]}
        made.clock.advance(6 * 3600 - 1)
        look(made)
        assert made.gmail.calls == ["history"]
        made.clock.advance(1)
        look(made)
        assert made.gmail.calls == ["history", "profile", "labels", FULL]
        assert set(queue(made)) == {"changed", "found"}
        assert set(follows(made)) == {"read", "changed", "found"}


def test_a_clock_that_was_set_back_does_not_stop_full_passes(tmp_path: Path) -> None:
    with scene(tmp_path, full_pass_at=NOW + timedelta(days=2)) as made:
        look(made)
        assert "profile" in made.gmail.calls


def test_a_full_pass_finds_a_label_that_went_while_nobody_looked(tmp_path: Path) -> None:
    with scene(tmp_path, full_pass_at=NOW - timedelta(hours=7)) as made:
        publication = add_publication(made.store, made.box)
        add_follow(made.store, made.box, "off", publication_id=publication.id, history_id=90)
        add_follow(made.store, made.box, "done", publication_id=publication.id, state=FollowState.STOPPED)
        look(made)
        assert set(queue(made)) == {"off"}


def test_a_full_pass_takes_a_label_that_does_not_exist_for_no_removal(tmp_path: Path) -> None:
    with scene(tmp_path, full_pass_at=NOW - timedelta(hours=7)) as made:
        add_follow(made.store, made.box, "t1", history_id=90)
        made.gmail.names.pop(LABEL)
        look(made)
        assert queue(made) == {}
        assert [one.gone_at for one in made.rows(LabelRow) if one.gmail_id == LABEL] == [NOW]


@pytest.mark.parametrize("reason", ["no route", "label gone"])
def test_a_route_that_came_back_takes_up_what_stopped_for_want_of_it(tmp_path: Path, reason: str) -> None:
    with scene(tmp_path, labels_key="") as made:
        publication = add_publication(made.store, made.box)
        stopped = {"publication_id": publication.id, "state": FollowState.STOPPED, "history_id": 90}
        add_follow(made.store, made.box, "back", reason=reason, **stopped)
        add_follow(made.store, made.box, "removed", reason="removed in Confluence", **stopped)
        made.gmail.listed = {LABEL: [("back", 90), ("removed", 90)]}
        look(made)
        assert set(queue(made)) == {"back"}
        assert follows(made)["back"].state is FollowState.FOLLOWING


def test_a_cursor_that_gmail_does_not_know_any_more_is_a_full_pass(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.gmail.fail["history"] = NotFound("old", provider="google")
        made.gmail.listed = {LABEL: [("t1", 90)]}
        assert look(made) is True
        assert made.gmail.calls == ["history", "profile", "labels", FULL]
        assert [one.cause for one in made.rows(Event) if one.what == "cursor lost"] == ["history expired"]
        assert set(queue(made)) == {"t1"}


def test_while_history_answers_nothing_full_passes_are_a_quarter_of_an_hour_apart(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.gmail.fail["history"] = NotFound("old", provider="google")
        passes = []
        for minute in range(46):
            made.gmail.calls.clear()
            look(made)
            if "profile" in made.gmail.calls:
                passes.append(minute)
            made.clock.advance(60)
        assert passes == [0, 15, 30, 45]
        assert [one.cause for one in made.rows(Event)] == ["history expired", *[HISTORY_UNUSABLE] * 3]
        made.gmail.fail.clear()
        made.gmail.calls.clear()
        look(made)
        assert made.gmail.calls == ["history"]


def test_a_label_that_nobody_knows_yet_is_asked_for_once(tmp_path: Path) -> None:
    with scene(tmp_path, settings(ENG, HR), labels_key="confluence/eng\nconfluence/hr") as made:
        made.gmail.names["Label_2"] = "Confluence/HR"
        made.gmail.records = {"t1": seen(150, "Label_2")}
        look(made)
        assert [(one.route, one.thread_id) for one in made.rows(Follow)] == [("hr", "t1")]
        made.gmail.records = {"t1": seen(160, "Label_2")}
        look(made)
        assert made.gmail.calls == ["history", "labels", "history"]


def test_a_failure_leaves_the_cursor_where_it_was(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.gmail.fail["history"] = Temporary("down", provider="google")
        with pytest.raises(Temporary):
            look(made)
        made.gmail.fail = {"labels": Temporary("down", provider="google")}
        made.gmail.records = {"t1": seen(150, "Label_7")}
        with pytest.raises(Temporary):
            look(made)
        assert (made.rows(Mailbox)[0].cursor, queue(made)) == (100, {})


def test_a_label_is_known_in_any_case_and_the_first_route_has_it() -> None:
    again = replace(ENG, name="again", label="confluence/eng")
    found = route_labels(settings(ENG, again, HR), {"L1": "CONFLUENCE/Eng", "L2": "Other"})
    assert found == {"eng": "L1"}
    assert labels_key(settings(ENG, again, HR)) == "confluence/eng\nconfluence/hr"


def test_how_often_a_full_pass_is_due_is_the_operator_s_to_say(tmp_path: Path) -> None:
    with scene(tmp_path, settings(gmail=GmailSettings(full_pass_every=60.0))) as made:
        made.clock.advance(60)
        look(made)
        assert "profile" in made.gmail.calls
