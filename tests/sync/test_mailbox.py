from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bridge.config import Gmail as GmailSettings
from bridge.errors import NeedsConsent, OperatorMustAct, RateLimited, Temporary
from bridge.gmail import Touched
from bridge.store import grants
from bridge.store.mailboxes import Settled
from bridge.store.tables import Event, Grant, GrantState, Mailbox, TouchedThread
from bridge.sync.mailbox import NOT_READ, READ_AGAIN, sync_mailbox
from bridge.sync.outages import BEGAN, ENDED

from support.sync import LABEL, NOW, settings
from support.sync_clients import raw_mail
from support.sync_scene import Scene, scene

MINUTE = timedelta(minutes=1)


def sync(made: Scene) -> Settled:
    [box] = made.rows(Mailbox)
    return sync_mailbox(made.bridge, box)


def arrive(made: Scene, *thread_ids: str) -> None:
    for thread_id in thread_ids:
        made.gmail.put(thread_id, raw_mail(f"m-{thread_id}", subject=f"Plan {thread_id}"))
        made.gmail.records[thread_id] = Touched(150, frozenset({LABEL}))


def grant_states(made: Scene) -> dict[str, GrantState]:
    return {one.provider: one.state for one in made.rows(Grant)}


@pytest.mark.scenario("A2")
def test_a_pass_detects_and_publishes_all_that_is_due(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        arrive(made, "t1", "t2")
        settled = sync(made)
        assert settled == Settled(made.box.id or 0, NOW + timedelta(seconds=15))
        assert {one.title for one in made.confluence.pages.values()} == {"Plan t1", "Plan t2"}
        assert made.gmail.calls == ["history", "thread t1", "thread t2"]
        assert made.rows(TouchedThread) == []


def test_more_threads_than_one_reading_of_the_queue_holds_are_all_looked_at(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        arrive(made, *(f"t{n}" for n in range(45)))
        sync(made)
        assert len(made.confluence.pages) == 45


def test_a_mailbox_with_news_is_looked_at_more_often_than_a_quiet_one(tmp_path: Path) -> None:
    with scene(tmp_path, settings(gmail=GmailSettings(poll_every=10.0, poll_idle=90.0))) as made:
        assert sync(made).due_at == NOW + timedelta(seconds=90)
        arrive(made, "t1")
        assert sync(made).due_at == NOW + timedelta(seconds=10)
        made.clock.advance(30 * 60 - 1)
        assert sync(made).due_at - made.clock.now() == timedelta(seconds=10)
        made.clock.advance(1)
        assert sync(made).due_at - made.clock.now() == timedelta(seconds=90)


def test_a_thread_that_comes_due_earlier_brings_the_mailbox_back(tmp_path: Path) -> None:
    with scene(tmp_path, settings(wait=4.0)) as made:
        arrive(made, "t1")
        assert sync(made).due_at == NOW + timedelta(seconds=4)
        assert made.confluence.calls == []
        made.clock.advance(4)
        sync(made)
        assert len(made.confluence.pages) == 1


def test_the_fault_of_one_thread_does_not_stop_the_next(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        arrive(made, "t1", "t2", "t3")
        made.gmail.fail["thread t2"] = Temporary("down", provider="google")
        settled = sync(made)
        assert {one.title for one in made.confluence.pages.values()} == {"Plan t1", "Plan t3"}
        [row] = made.rows(TouchedThread)
        assert (row.thread_id, row.failures) == ("t2", 1)
        assert (settled.due_at, settled.reason) == (row.due_at, "")
        made.gmail.fail.clear()
        made.clock.advance(3)
        sync(made)
        assert len(made.confluence.pages) == 3


def test_a_mailbox_that_cannot_be_read_waits_longer_each_time(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.gmail.fail["history"] = Temporary("Gmail is down.", provider="google")
        settled = sync(made)
        assert (settled.reason, settled.tries) == ("Gmail is down.", 1)
        assert timedelta(seconds=1.5) <= settled.due_at - NOW <= timedelta(seconds=2.5)
        with made.store.write() as session:
            session.get_one(Mailbox, made.box.id).tries = 4
        settled = sync(made)
        assert settled.tries == 5
        assert timedelta(seconds=24) <= settled.due_at - NOW <= timedelta(seconds=40)


def test_a_pause_that_gmail_asks_for_is_kept_and_is_no_failure(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.gmail.fail["history"] = RateLimited("slow", provider="google", retry_after=50)
        assert sync(made) == Settled(made.box.id or 0, NOW + timedelta(seconds=50), "slow", 0)


def test_a_google_connection_that_ended_is_marked_and_told_once(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.gmail.fail["history"] = NeedsConsent("Connect Gmail again.", provider="google", reason="invalid_grant")
        settled = sync(made)
        assert settled == Settled(made.box.id or 0, NOW + MINUTE, "Connect Gmail again.")
        assert grant_states(made) == {"google": GrantState.NEEDS_CONSENT, "atlassian": GrantState.LIVE}
        assert [(one.what, one.cause) for one in made.rows(Event)] == [("connection ended", "invalid_grant")]
        assert sync(made) == Settled(made.box.id or 0, NOW + timedelta(hours=6), "Gmail must be connected again.")
        assert made.gmail.calls == ["history"]
        assert len(made.rows(Event)) == 1


def test_a_failure_of_older_tokens_does_not_end_a_new_connection(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        failure = NeedsConsent("Connect Gmail again.", provider="google")
        history = made.gmail.history

        def meanwhile(start: int) -> object:
            with made.store.write() as session:
                grants.of_account(session, made.box.account_id)["google"].generation += 1
            made.gmail.fail["history"] = failure
            return history(start)

        made.gmail.history = meanwhile  # type: ignore[method-assign, assignment]
        assert sync(made).due_at == NOW + MINUTE
        assert grant_states(made)["google"] is GrantState.LIVE


@pytest.mark.scenario("A24")
def test_without_confluence_the_mailbox_is_followed_and_nothing_is_lost(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        arrive(made, "t1", "t2")
        made.confluence.refuse["create_draft"] = NeedsConsent("Connect Confluence again.", provider="atlassian")
        settled = sync(made)
        assert (settled.due_at, settled.reason) == (NOW + MINUTE, "Connect Confluence again.")
        assert grant_states(made) == {"google": GrantState.LIVE, "atlassian": GrantState.NEEDS_CONSENT}
        assert "thread t2" not in made.gmail.calls
        arrive(made, "t3")
        assert sync(made).reason == ""
        assert {one.thread_id for one in made.rows(TouchedThread)} == {"t1", "t2", "t3"}
        made.confluence.refuse.clear()
        with made.store.write() as session:
            grants.of_account(session, made.box.account_id)["atlassian"].state = GrantState.LIVE
        sync(made)
        assert len(made.confluence.pages) == 3


def test_the_operator_s_fault_is_tried_again_in_minutes(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.gmail.fail["history"] = OperatorMustAct("The secret is wrong.", provider="google")
        assert sync(made) == Settled(made.box.id or 0, NOW + timedelta(minutes=5), "The secret is wrong.")
        assert set(grant_states(made).values()) == {GrantState.LIVE}


def test_a_pass_ends_after_two_minutes_and_the_rest_is_due_at_once(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        arrive(made, *(f"t{n}" for n in range(60)))
        thread = made.gmail.thread

        def slow(thread_id: str) -> object:
            made.clock.advance(5)
            return thread(thread_id)

        made.gmail.thread = slow  # type: ignore[method-assign, assignment]
        settled = sync(made)
        assert settled.due_at == made.clock.now()
        assert 24 <= len(made.confluence.pages) <= 45
        sync(made)
        assert len(made.confluence.pages) == 60


def test_an_outage_is_told_once_at_its_beginning_and_once_at_its_end(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        for _ in range(3):
            made.gmail.fail["history"] = Temporary("down", provider="google")
            settled = sync(made)
            with made.store.write() as session:
                session.get_one(Mailbox, made.box.id).reason = settled.reason
        made.gmail.fail.clear()
        assert sync(made).due_at == made.clock.now() + timedelta(seconds=15), "three in a row are an outage"
        made.clock.advance(15)
        for _ in range(3):
            settled = sync(made)
        told = [(one.what, one.account_id, one.cause) for one in made.rows(Event)]
        assert told == [
            (NOT_READ, made.box.account_id, "google no answer"),
            (BEGAN, None, "google"),
            (ENDED, None, "google"),
            (READ_AGAIN, made.box.account_id, ""),
        ]
