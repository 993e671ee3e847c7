from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import (
    CredentialRefused,
    NeedsConsent,
    OperatorMustAct,
    PersonMustAct,
    RateLimited,
    RemoteError,
    Temporary,
)
from bridge.store import threads
from bridge.store.tables import (
    Entry,
    EntryState,
    Event,
    Follow,
    FollowState,
    Publication,
    PublicationState,
    TouchedThread,
)
from bridge.sync import thread as thread_module
from bridge.sync.thread import STALE_AGAIN, ThreadLook

from support.sync import LABEL, NOW, settings
from support.sync_clients import raw_mail
from support.sync_rows import add_follow, add_publication
from support.sync_scene import Scene, scene


def touch(made: Scene, thread_id: str = "t1", *, history_id: int = 150, **fields: Any) -> None:
    with made.store.write() as session:
        threads.touch(session, made.box.id or 0, thread_id, history_id=history_id, due_at=made.clock.now(), **fields)


def look(made: Scene) -> None:
    """Look at the first thread of the queue, as a pass does."""
    [row, *_] = made.rows(TouchedThread)
    ThreadLook(made.bridge, made.box, made.api, made.grant(), made.client).look(row, made.settings)


def queued(made: Scene) -> TouchedThread:
    [row] = made.rows(TouchedThread)
    return row


@pytest.mark.scenario("A2")
def test_a_thread_is_fetched_once_planned_published_and_off_the_queue(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        made.gmail.put("t1", raw_mail("m1"), raw_mail("m2", subject="Re: Plan", at=NOW - timedelta(minutes=5)))
        touch(made)
        look(made)
        assert made.gmail.calls == ["thread t1"]
        assert len(made.confluence.pages) == len(made.confluence.all_comments) == 1
        assert made.rows(TouchedThread) == []
        [follow] = made.rows(Follow)
        assert (follow.history_id, follow.messages, follow.subject) == (150, 2, "Plan")


def test_an_answer_older_than_the_record_is_stale(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        made.gmail.put("t1", raw_mail("m1"), history_id=149)
        touch(made, history_id=150)
        look(made)
        assert (queued(made).due_at, queued(made).tries) == (NOW + STALE_AGAIN, 0)
        assert made.confluence.calls == []
        made.gmail.put("t1", raw_mail("m1"), history_id=150)
        look(made)
        assert len(made.confluence.pages) == 1


def test_an_answer_that_stays_behind_is_taken_in_the_end(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        made.gmail.put("t1", raw_mail("m1"), history_id=149)
        touch(made, history_id=150)
        looks = 0
        while made.rows(TouchedThread):
            look(made)
            looks += 1
        assert looks == 31
        assert len(made.confluence.pages) == 1
        assert made.rows(Follow)[0].history_id == 149


@pytest.mark.scenario("A20")
def test_a_label_that_came_and_went_leaves_nothing(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        made.gmail.put("t1", raw_mail("m1", labels=("INBOX",)))
        touch(made)
        look(made)
        assert made.rows(Follow) == made.rows(TouchedThread) == made.rows(Publication) == []
        assert made.confluence.calls == []


def test_a_thread_whose_wait_is_not_over_comes_again_when_it_is(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box, not_before=NOW + timedelta(seconds=15))
        made.gmail.put("t1", raw_mail("m1"))
        touch(made)
        look(made)
        assert queued(made).due_at == NOW + timedelta(seconds=15)
        assert made.confluence.calls == []


def test_an_unsure_thread_is_asked_for_its_labels_alone(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.gmail.put("t1", raw_mail("m1", labels=("INBOX",)))
        touch(made, unsure=True)
        look(made)
        assert made.gmail.calls == ["label_ids t1"]
        assert made.rows(TouchedThread) == made.rows(Follow) == []


def test_an_unsure_thread_that_has_the_label_is_followed(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.gmail.put("t1", raw_mail("m1"))
        touch(made, unsure=True)
        while made.rows(TouchedThread):
            look(made)
        assert [one.route for one in made.rows(Follow)] == ["eng"]
        assert len(made.confluence.pages) == 1


def test_a_braked_unsure_thread_is_not_published(tmp_path: Path) -> None:
    with scene(tmp_path, settings(brake=(1, 600.0))) as made:
        add_follow(made.store, made.box, "t0", labelled_at=NOW)
        made.gmail.put("t1", raw_mail("m1"))
        touch(made, unsure=True)
        look(made)
        assert {one.state for one in made.rows(Follow)} == {FollowState.HELD}
        assert made.confluence.calls == []


@pytest.mark.scenario("A13")
def test_a_missing_label_is_a_removal_only_if_the_label_still_exists(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        publication = add_publication(made.store, made.box, state=PublicationState.PUBLISHED, content_id="77")
        add_follow(made.store, made.box, publication_id=publication.id)
        made.gmail.put("t1", raw_mail("m1", labels=("INBOX",)))
        touch(made)
        look(made)
        assert made.gmail.calls == ["thread t1", "labels"]
        assert [(one.state, one.reason) for one in made.rows(Follow)] == [(FollowState.STOPPED, "label removed")]


@pytest.mark.scenario("A18")
def test_a_label_that_was_deleted_stops_without_being_a_removal(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        publication = add_publication(made.store, made.box, state=PublicationState.PUBLISHED, content_id="77")
        add_follow(made.store, made.box, publication_id=publication.id)
        made.gmail.put("t1", raw_mail("m1", labels=("INBOX",)))
        made.gmail.names.pop(LABEL)
        touch(made)
        look(made)
        assert [(one.state, one.reason) for one in made.rows(Follow)] == [(FollowState.STOPPED, "label gone")]


def test_a_thread_that_is_gone_stops_and_what_stands_stays(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        publication = add_publication(made.store, made.box, state=PublicationState.PUBLISHED, content_id="77")
        add_follow(made.store, made.box, publication_id=publication.id)
        add_follow(made.store, made.box, route="hr")
        touch(made)
        for _ in range(2):
            look(made)
            assert [one.state for one in made.rows(Follow)] == [FollowState.FOLLOWING] * 2, "a 404 may be wrong"
            assert queued(made).due_at == NOW + STALE_AGAIN
        look(made)
        [follow] = made.rows(Follow)
        assert (follow.route, follow.state, follow.reason) == ("eng", FollowState.STOPPED, "gone from Gmail")
        assert made.rows(TouchedThread) == []
        assert [one.what for one in made.rows(Event)] == ["follow stopped"]


def test_a_young_thread_that_is_not_there_yet_is_looked_at_again(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box, labelled_at=NOW - timedelta(seconds=9))
        touch(made)
        look(made)
        assert queued(made).due_at == NOW + STALE_AGAIN
        assert len(made.rows(Follow)) == 1


def test_a_passing_fault_puts_the_thread_off_for_longer_each_time(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        made.gmail.fail["thread"] = Temporary("down", provider="google")
        touch(made)
        for failures in range(1, 6):
            look(made)
            row = queued(made)
            wait = (row.due_at - NOW).total_seconds()
            assert 0.75 * 2**failures <= wait <= 1.25 * 2**failures
            assert (row.failures, row.tries) == (failures, 0)
        made.gmail.fail.clear()
        made.gmail.put("t1", raw_mail("m1"))
        look(made)
        assert made.rows(TouchedThread) == []


@pytest.mark.parametrize(
    "error",
    [
        NeedsConsent("x", provider="google"),
        OperatorMustAct("x", provider="google"),
        RateLimited("x", provider="google", retry_after=7),
    ],
)
def test_what_holds_for_the_whole_mailbox_goes_up_and_the_thread_stays_due(tmp_path: Path, error: RemoteError) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        made.gmail.fail["thread"] = error
        touch(made)
        with pytest.raises(type(error)):
            look(made)
        assert (queued(made).due_at, queued(made).tries) == (NOW, 0)


def test_a_pause_of_confluence_holds_for_the_thread_alone(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        made.gmail.put("t1", raw_mail("m1"))
        made.confluence.refuse["space"] = RateLimited("slow", provider="atlassian", retry_after=30)
        touch(made)
        look(made)
        assert (queued(made).due_at, queued(made).tries) == (NOW + timedelta(seconds=30), 0)


def test_a_mail_that_breaks_the_program_twice_is_published_by_its_headers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object, **more: object) -> None:
        raise RecursionError("a mail like a well")

    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        made.gmail.put("t1", raw_mail("m1"))
        touch(made)
        monkeypatch.setattr(thread_module, "read_thread", broken)
        for tries in (1, 2):
            look(made)
            assert queued(made).tries == tries
            assert queued(made).due_at > NOW
        look(made)
        assert made.rows(TouchedThread) == []
        [page] = made.confluence.pages.values()
        assert page.title == "Plan"
        assert "This mail could not be read." in page.storage


def test_a_process_that_a_mail_ended_twice_takes_only_its_headers(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        made.gmail.put("t1", raw_mail("m1", text="Never read."))
        touch(made)
        with made.store.write() as session:
            session.get_one(TouchedThread, queued(made).id).tries = 2
        look(made)
        [page] = made.confluence.pages.values()
        assert "Never read." not in page.storage


def test_a_thread_that_is_touched_in_the_middle_of_its_look_stays_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        made.gmail.put("t1", raw_mail("m1"))
        touch(made)
        real = thread_module.read_thread

        def meanwhile(*given: Any, **more: Any) -> Any:
            touch(made, history_id=170)
            return real(*given, **more)

        monkeypatch.setattr(thread_module, "read_thread", meanwhile)
        look(made)
        assert (queued(made).history_id, queued(made).generation, queued(made).due_at) == (170, 2, NOW)


def test_a_mail_that_another_mailbox_claims_in_between_is_planned_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        made.gmail.put("t1", raw_mail("m1"))
        touch(made)
        real, times = thread_module.apply, []

        def claimed(*given: Any, **more: Any) -> Any:
            times.append(1)
            if len(times) < 3:
                raise thread_module.ClaimedMeanwhile
            return real(*given, **more)

        monkeypatch.setattr(thread_module, "apply", claimed)
        look(made)
        assert (len(times), made.gmail.calls) == (3, ["thread t1"])
        assert len(made.confluence.pages) == 1


def test_a_claim_that_cannot_be_had_is_tried_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def claimed(*given: Any, **more: Any) -> Any:
        raise thread_module.ClaimedMeanwhile

    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        made.gmail.put("t1", raw_mail("m1"))
        touch(made)
        monkeypatch.setattr(thread_module, "apply", claimed)
        look(made)
        assert (queued(made).due_at, queued(made).failures) == (NOW + STALE_AGAIN, 1)
        for _ in range(6):
            made.clock.jump((queued(made).due_at - made.clock.now()).total_seconds())
            look(made)
        assert queued(made).failures == 7
        assert queued(made).due_at - made.clock.now() > timedelta(seconds=90)  # 2 ** 7 seconds, give or take a quarter


def test_a_write_that_may_still_take_effect_is_waited_for(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        made.gmail.put("t1", raw_mail("m1"))
        touch(made)
        made.confluence.script = ["ok", "lost"]
        look(made)
        look(made)
        assert queued(made).due_at == NOW + timedelta(seconds=30)
        made.clock.advance(30)
        look(made)
        assert [one.state for one in made.rows(Entry)] == [EntryState.DONE]
        assert made.confluence.calls.count("publish") == 1


def test_a_place_that_cannot_be_had_is_looked_for_every_six_hours(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        made.gmail.put("t1", raw_mail("m1"))
        made.confluence.spaces.clear()
        touch(made)
        look(made)
        [follow] = made.rows(Follow)
        assert (follow.state, follow.reason) == (FollowState.NEEDS_SOMEBODY, "no place")
        assert queued(made).due_at == NOW + timedelta(hours=6)


def test_a_place_behind_a_refused_credential_is_probed(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        made.gmail.put("t1", raw_mail("m1"))
        made.confluence.refuse["space"] = CredentialRefused("bare", provider="atlassian")
        touch(made)
        look(made)
        assert (queued(made).failures, queued(made).tries) == (1, 0)
        made.confluence.refuse["current_user"] = CredentialRefused("bare", provider="atlassian")
        with pytest.raises(NeedsConsent, match="Connect Confluence again"):
            look(made)
        assert queued(made).tries == 0


def test_a_space_that_may_not_be_looked_up_is_said_to_its_person_and_tried_in_six_hours(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        made.gmail.put("t1", raw_mail("m1"))
        made.confluence.refuse["space"] = PersonMustAct(
            "You may not use this site. Ask its admin.", provider="atlassian"
        )
        touch(made)
        look(made)
        [follow] = made.rows(Follow)
        assert (follow.state, follow.detail) == (
            FollowState.NEEDS_SOMEBODY,
            "You may not use this site. Ask its admin.",
        )
        assert queued(made).due_at == NOW + timedelta(hours=6)
        made.confluence.refuse.clear()
        look(made)
        assert [f.state for f in made.rows(Follow)] == [FollowState.FOLLOWING]
        assert len(made.confluence.pages) == 1
