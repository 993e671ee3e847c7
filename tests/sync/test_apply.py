from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from bridge.model import Thread
from bridge.store import follows, publications
from bridge.store.engine import Store
from bridge.store.tables import Claim, Entry, EntryState, Event, Follow, FollowState, Mailbox, Publication
from bridge.sync.apply import Applied, ClaimedMeanwhile, apply
from bridge.sync.keys import entry_key
from bridge.sync.plan import Decision, NewEntry, plan

from support.sync import BEN, LABEL, NOW, PLACE, mail, situation, thread
from support.sync_rows import add_entry, add_follow, add_publication, hire, new_store, rows


def carry_out(
    store: Store, box: Mailbox, decisions: tuple[Decision, ...], told: Thread, now: datetime = NOW
) -> Applied:
    with store.write() as session:
        return apply(session, decisions, thread=told, box=box, now=now, installation="inst")


def new(*entries: NewEntry, route: str = "eng") -> Decision:
    return Decision(route=route, where="new", place=PLACE, entries=entries)


def entry(number: int = 1, **fields: object) -> NewEntry:
    message = mail(number)
    return replace(NewEntry(message.key, message.gmail_id, message.date), **fields)  # type: ignore[arg-type]


def test_a_plan_becomes_a_publication_with_claims_and_entries(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        box = hire(store)
        add_follow(store, box, reason="wait")
        told = situation(mail(1), mail(2))
        done = carry_out(store, box, plan(told), told.thread)
        [publication] = rows(store, Publication)
        assert (publication.destination, publication.kind, publication.space_id) == ("cloud/100/page/-", "page", "100")
        assert (publication.account_id, publication.route, publication.panel_date) == (1, "eng", mail(1).date)
        assert done == Applied(((publication.id or 0, "eng"),), None)
        assert [(one.ordinal, one.kind, one.message_id) for one in rows(store, Entry)] == [
            (0, "body", "m1"),
            (1, "comment", "m2"),
        ]
        assert rows(store, Entry)[1].key == entry_key("inst", publication.uid, mail(2).key)
        assert {claim.message_key for claim in rows(store, Claim)} == {mail(1).key, mail(2).key}
        [kept] = rows(store, Follow)
        assert (kept.publication_id, kept.reason, kept.since) == (publication.id, "", NOW)
        assert (kept.history_id, kept.messages, kept.subject) == (10, 2, "Plan")
        assert [(one.what, one.outcome) for one in rows(store, Event)] == [("follow following", "new")]


def test_the_same_plan_twice_changes_nothing(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        box = hire(store)
        add_follow(store, box)
        carry_out(store, box, (new(entry(1), entry(2)),), thread(mail(1), mail(2)))
        own = Decision(route="eng", where="own", publication_id=1, entries=(entry(1), entry(2)))
        carry_out(store, box, (own,), thread(mail(1), mail(2)))
        assert [one.ordinal for one in rows(store, Entry)] == [0, 1]
        assert len(rows(store, Claim)) == 2


def test_what_comes_later_stands_behind_whatever_its_date_is(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        box = hire(store)
        add_follow(store, box)
        carry_out(store, box, (new(entry(2)),), thread(mail(2)))
        own = Decision(route="eng", where="own", publication_id=1, entries=(entry(1),))
        carry_out(store, box, (own,), thread(mail(1), mail(2)))
        assert [(one.message_id, one.ordinal, one.kind) for one in rows(store, Entry)] == [
            ("m2", 0, "body"),
            ("m1", 1, "comment"),
        ]


def test_two_routes_to_one_place_meet_in_one_publication(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        box = hire(store)
        add_follow(store, box)
        add_follow(store, box, route="other")
        done = carry_out(store, box, (new(entry(1)), new(entry(1), route="other")), thread(mail(1)))
        assert done.publications == ((1, "eng"), (1, "other"))
        assert len(rows(store, Publication)) == len(rows(store, Entry)) == 1
        assert {one.publication_id for one in rows(store, Follow)} == {1}


def test_a_weak_key_is_not_claimed_and_never_meets(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        box, other = hire(store), hire(store, BEN)
        weak = mail(1, message_id="")
        add_follow(store, box)
        add_follow(store, box, "t2")
        add_follow(store, other)
        told = situation(weak)
        carry_out(store, box, plan(told), told.thread)
        carry_out(store, other, plan(told), told.thread)
        carry_out(store, box, plan(told), replace(told.thread, thread_id="t2"))
        assert rows(store, Claim) == []
        assert len({one.uid for one in rows(store, Publication)}) == 3


@pytest.mark.scenario("A22")
def test_a_mail_that_another_mailbox_claimed_since_the_plan_is_planned_again(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        ada, ben = hire(store), hire(store, BEN)
        add_follow(store, ada)
        add_follow(store, ben)
        carry_out(store, ada, (new(entry(1)),), thread(mail(1)))
        with pytest.raises(ClaimedMeanwhile):
            carry_out(store, ben, (new(entry(1)),), thread(mail(1)))
        assert len(rows(store, Publication)) == 1
        with store.read() as session:
            assert follows.of_thread(session, ben.id or 0, "t1")[0].publication_id is None


def test_two_claims_of_one_mail_at_one_place_break_the_unique(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        ada, ben = hire(store), hire(store, BEN)
        first = add_publication(store, ada)
        second = add_publication(store, ben, uid="uid2")
        with store.write() as session:
            publications.claim(session, first, "k")
        with pytest.raises(IntegrityError), store.write() as session:
            publications.claim(session, second, "k")


@pytest.mark.scenario("A22")
def test_whoever_joins_adds_what_lacks(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        ada, ben = hire(store), hire(store, BEN)
        add_follow(store, ada)
        add_follow(store, ben)
        carry_out(store, ada, (new(entry(1)),), thread(mail(1)))
        joined = Decision(route="eng", where="join", publication_id=1, entries=(entry(1), entry(2)))
        done = carry_out(store, ben, (joined,), thread(mail(1), mail(2)))
        assert done.publications == ((1, "eng"),)
        assert [(one.message_id, one.mailbox_id) for one in rows(store, Entry)] == [("m1", ada.id), ("m2", ben.id)]
        assert [one.publication_id for one in rows(store, Follow)] == [1, 1]


def test_a_mail_that_another_publication_owns_is_left_to_it(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        box = hire(store)
        other = add_publication(store, box, uid="uid9")
        with store.write() as session:
            publications.claim(session, other, mail(2).key)
        add_follow(store, box)
        carry_out(store, box, (new(entry(1)),), thread(mail(1)))
        own = Decision(route="eng", where="own", publication_id=2, entries=(entry(2), entry(3)))
        carry_out(store, box, (own,), thread(mail(1), mail(2), mail(3)))
        assert [(one.message_id, one.ordinal) for one in rows(store, Entry)] == [("m1", 0), ("m3", 1)]


@pytest.mark.scenario("A20")
def test_a_follow_that_is_forgotten_is_gone(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        box = hire(store)
        add_follow(store, box)
        done = carry_out(store, box, (Decision(route="eng", forget=True),), thread(mail(1)))
        assert (rows(store, Follow), done.publications) == ([], ())


def test_what_is_held_is_kept_with_its_question_and_told(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        box = hire(store)
        add_follow(store, box)
        asked = entry(2, state=EntryState.HELD, reason="narrow reply", detail="Not to Cy.", question="Publish it?")
        carry_out(store, box, (new(entry(1), asked),), thread(mail(1), mail(2)))
        held = rows(store, Entry)[1]
        assert (held.state, held.reason, held.question, held.since) == (
            EntryState.HELD,
            "narrow reply",
            "Publish it?",
            NOW,
        )
        assert [(one.what, one.cause) for one in rows(store, Event)][-1] == ("entry held", "narrow reply")


def test_what_stopped_is_not_driven(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        box = hire(store)
        publication = add_publication(store, box)
        add_follow(store, box, publication_id=publication.id)
        stopped = Decision(
            route="eng", state=FollowState.STOPPED, reason="label removed", detail="Off.", where="own", publication_id=1
        )
        assert carry_out(store, box, (stopped,), thread(mail(1))).publications == ()
        [kept] = rows(store, Follow)
        assert (kept.state, kept.reason, kept.detail, kept.since) == (FollowState.STOPPED, "label removed", "Off.", NOW)


def test_a_follow_that_needs_somebody_does_so_until_a_write_has_succeeded(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        box = hire(store)
        publication = add_publication(store, box)
        add_follow(
            store, box, publication_id=publication.id, state=FollowState.NEEDS_SOMEBODY, reason="person", detail="Ask."
        )
        own = Decision(route="eng", where="own", publication_id=1)
        assert carry_out(store, box, (own,), thread(mail(1))).publications == ((1, "eng"),)
        [kept] = rows(store, Follow)
        assert (kept.state, kept.detail) == (FollowState.NEEDS_SOMEBODY, "Ask.")


def test_what_waits_for_an_answer_keeps_its_sentence_and_its_time(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        box = hire(store)
        kept = add_follow(store, box, state=FollowState.HELD, reason="brake", detail="One of 800.", question="Publish?")
        carry_out(store, box, (Decision(route="eng", state=FollowState.HELD, reason="brake"),), thread(mail(1)))
        [now] = rows(store, Follow)
        assert (now.detail, now.question, now.since) == ("One of 800.", "Publish?", kept.since)
        assert rows(store, Event) == []


def test_the_earliest_time_to_look_again_wins(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        box = hire(store)
        add_follow(store, box)
        add_follow(store, box, route="hr")
        later = NOW.replace(hour=20)
        decided = (Decision(route="eng", look_again_at=later), Decision(route="hr", look_again_at=NOW))
        assert carry_out(store, box, decided, thread(mail(1))).look_again_at == NOW


def test_an_entry_of_a_standing_publication_is_claimed_for_it(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        box = hire(store)
        publication = add_publication(store, box)
        add_entry(store, publication, box, mail(1))
        add_follow(store, box, publication_id=publication.id)
        own = Decision(route="eng", where="own", publication_id=1, entries=(entry(2),))
        carry_out(store, box, (own,), thread(mail(1), mail(2, label_ids=frozenset({LABEL}))))
        assert [(one.message_key, one.publication_id) for one in rows(store, Claim)] == [(mail(2).key, 1)]
