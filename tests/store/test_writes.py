from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from bridge.errors import (
    Answer,
    Conflict,
    CredentialRefused,
    NeedsConsent,
    PersonMustAct,
    RateLimited,
    Refused,
    RemoteError,
    Temporary,
    TitleTaken,
    TokenExpired,
)
from bridge.store import writes
from bridge.store.engine import Store
from bridge.store.tables import Write, WriteState
from bridge.store.writes import Intent, Tick

from support import rows
from support.rows import NOW, after

SETTLE = 120.0
SETTLED = after(seconds=SETTLE)


@pytest.fixture
def intent(session: Session) -> Intent:
    return intended(session)


def intended(session: Session) -> Intent:
    box = rows.mailbox(session)
    page = rows.publication(session, box)
    return Intent(page.id or 0, "comment", "7", box.account_id, key="0a1b2c3d", settle=SETTLE)


def begun(session: Session, intent: Intent, now: datetime = NOW) -> Write:
    row, _ = writes.begin(session, intent, now)
    session.flush()
    return row


def next_of(session: Session, intent: Intent, now: datetime) -> str:
    return writes.begin(session, intent, now)[1]


def lost(status: int = 0) -> Temporary:
    return Temporary("No answer.", provider="atlassian", answer=Answer(status=status), maybe_applied=True)


def test_a_new_write_is_sent_and_says_so_before_it_is(session: Session, intent: Intent) -> None:
    whole = replace(intent, title="Plan")
    row, following = writes.begin(session, whole, NOW)
    session.flush()
    assert following == "send"
    assert row.model_dump(exclude={"id"}) == {
        "publication_id": intent.publication_id,
        "entry_id": None,
        "attachment_id": None,
        "mailbox_id": None,
        "kind": "comment",
        "target": "7",
        "round": 0,
        "account_id": intent.account_id,
        "state": WriteState.SENT,
        "key": "0a1b2c3d",
        "title": "Plan",
        "sent_at": NOW,
        "look_after": SETTLED,
        "sent_boot": "",
        "sent_tick": 0.0,
        "looks": 0,
        "not_before": None,
        "tries": 1,
        "status": 0,
        "answer": "",
        "remote_id": "",
    }


def test_what_the_write_is_about_is_kept(session: Session, intent: Intent) -> None:
    box = rows.mailbox(session, "bob@acme.example")
    page = rows.publication(session, box, "p2")
    entry = rows.entry(session, page, box)
    file = rows.attachment(session, page, entry)
    row = begun(session, replace(intent, entry_id=entry.id, attachment_id=file.id, mailbox_id=box.id, round=2))
    assert (row.entry_id, row.attachment_id, row.mailbox_id, row.round) == (entry.id, file.id, box.id, 2)


def test_the_intent_survives_a_restart(store: Store) -> None:
    with store.write() as session:
        intent = intended(session)
        writes.begin(session, intent, NOW)
    with store.write() as session:
        row, following = writes.begin(session, intent, after(seconds=1))
        assert (row.state, row.sent_at, row.tries, following) == (WriteState.SENT, NOW, 1, "wait")


def test_a_clock_that_was_set_forward_does_not_shorten_the_settle_time(session: Session, intent: Intent) -> None:
    row, _ = writes.begin(session, intent, NOW, Tick("a", 1000.0))
    session.flush()
    tomorrow = after(days=1)
    assert writes.begin(session, intent, tomorrow, Tick("a", 1010.0))[1] == "wait"
    assert row.look_after == tomorrow + timedelta(seconds=SETTLE - 10)
    assert writes.begin(session, intent, tomorrow, Tick("a", 1000.0 + SETTLE))[1] == "wait"
    assert writes.begin(session, intent, after(days=1, seconds=SETTLE), Tick("a", 1000.0 + SETTLE))[1] == "look"


def test_the_monotonic_clock_of_another_boot_says_nothing(session: Session, intent: Intent) -> None:
    writes.begin(session, intent, NOW, Tick("a", 1000.0))
    session.flush()
    assert writes.begin(session, intent, SETTLED, Tick("b", 5.0))[1] == "look"


@pytest.mark.parametrize(
    ("now", "following"),
    [(NOW, "wait"), (after(seconds=SETTLE - 1), "wait"), (SETTLED, "look"), (after(days=9), "look")],
)
def test_a_sent_write_settles_before_it_is_looked_for(
    session: Session, intent: Intent, now: datetime, following: str
) -> None:
    row = begun(session, intent)
    assert next_of(session, intent, now) == following
    assert (row.state, row.sent_at, row.look_after, row.tries) == (WriteState.SENT, NOW, SETTLED, 1)


def test_nothing_to_settle_is_looked_for_at_once(session: Session, intent: Intent) -> None:
    begun(session, replace(intent, settle=0.0))
    assert next_of(session, replace(intent, settle=0.0), NOW) == "look"


def test_a_clock_that_is_a_little_behind_waits(session: Session, intent: Intent) -> None:
    row = begun(session, intent)
    assert next_of(session, intent, after(minutes=-2)) == "wait"
    assert row.look_after == SETTLED


def test_after_the_clock_was_set_back_the_settle_time_begins_anew(session: Session, intent: Intent) -> None:
    row = begun(session, intent, after(days=365))
    assert next_of(session, intent, NOW) == "wait"
    assert row.look_after == SETTLED
    assert next_of(session, intent, SETTLED) == "look"


def test_send_again_begins_the_settle_time_anew(session: Session, intent: Intent) -> None:
    row = begun(session, replace(intent, title="Plan"))
    other = rows.account(session, "bob@acme.example")
    later = after(minutes=3)
    again = writes.send_again(session, row.id or 0, replace(intent, account_id=other.id or 0), later)
    assert again is row
    assert (row.state, row.sent_at, row.look_after) == (WriteState.SENT, later, later + timedelta(seconds=SETTLE))
    assert (row.tries, row.account_id, row.title) == (2, other.id, "Plan")
    assert next_of(session, intent, after(minutes=4)) == "wait"


def test_a_title_that_is_tried_next_replaces_the_one_before(session: Session, intent: Intent) -> None:
    row = begun(session, replace(intent, title="Plan"))
    writes.failed(session, row.id or 0, TitleTaken("Taken.", provider="atlassian", answer=Answer(400, "title")))
    assert next_of(session, replace(intent, title="Plan (3 March)"), NOW) == "send"
    assert (row.title, row.tries) == ("Plan (3 March)", 2)


def test_done_is_final(session: Session, intent: Intent) -> None:
    row = begun(session, intent)
    writes.failed(session, row.id or 0, lost(502))
    assert writes.done(session, row.id or 0, "4711") is row
    assert (row.state, row.remote_id, row.status, row.answer) == (WriteState.DONE, "4711", 200, "")
    assert next_of(session, intent, after(days=1)) == "done"
    assert (row.tries, row.sent_at) == (1, NOW)


def test_given_up_is_final(session: Session, intent: Intent) -> None:
    row = begun(session, intent)
    row.state = WriteState.GIVEN_UP
    assert next_of(session, intent, after(days=1)) == "done"
    assert row.tries == 1


def test_another_round_is_another_write(session: Session, intent: Intent) -> None:
    row = begun(session, intent)
    writes.done(session, row.id or 0, "4711")
    assert next_of(session, replace(intent, round=1), NOW) == "send"
    assert [write.round for write in writes.of_publication(session, intent.publication_id)] == [0, 1]


@pytest.mark.parametrize(
    ("error", "state", "following"),
    [
        (Temporary("502", provider="atlassian"), WriteState.PLANNED, "send"),
        (RateLimited("429", provider="atlassian"), WriteState.PLANNED, "send"),
        (lost(), WriteState.SENT, "wait"),
        (Refused("400", provider="atlassian"), WriteState.FAILED, "send"),
        (Refused("400", provider="atlassian", maybe_applied=True), WriteState.SENT, "wait"),
        (Conflict("409", provider="atlassian"), WriteState.FAILED, "send"),
        (PersonMustAct("403", provider="atlassian"), WriteState.FAILED, "send"),
        (TokenExpired("401", provider="atlassian"), WriteState.FAILED, "send"),
        (CredentialRefused("404", provider="atlassian"), WriteState.FAILED, "send"),
        (NeedsConsent("401", provider="atlassian"), WriteState.FAILED, "send"),
    ],
)
def test_what_follows_a_failure(
    session: Session, intent: Intent, error: RemoteError, state: WriteState, following: str
) -> None:
    row = begun(session, intent)
    writes.failed(session, row.id or 0, error)
    assert row.state is state
    assert next_of(session, intent, after(seconds=5)) == following
    assert row.tries == (2 if following == "send" else 1)


def test_a_lost_answer_is_looked_for_when_settled(session: Session, intent: Intent) -> None:
    row = begun(session, intent)
    writes.failed(session, row.id or 0, lost())
    assert next_of(session, intent, SETTLED) == "look"


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (Answer(409, "CONFLICT", "the body"), "CONFLICT"),
        (Answer(409, "", "the body"), "the body"),
        (Answer(409, "", "x" * 900), "x" * 500),
    ],
)
def test_what_came_back_is_kept_cut(session: Session, intent: Intent, answer: Answer, kept: str) -> None:
    row = begun(session, intent)
    writes.failed(session, row.id or 0, Conflict("409", provider="atlassian", answer=answer))
    assert (row.status, row.answer) == (409, kept)


def test_find(session: Session, intent: Intent) -> None:
    assert writes.find(session, intent.publication_id, "comment", "7") is None
    row = begun(session, intent)
    assert writes.find(session, intent.publication_id, "comment", "7") is row
    for kind, target, turn in (("upload", "7", 0), ("comment", "8", 0), ("comment", "7", 1)):
        assert writes.find(session, intent.publication_id, kind, target, turn) is None


def test_of_publication_in_the_order_of_intent(session: Session, intent: Intent) -> None:
    made = [begun(session, replace(intent, kind=kind)) for kind in ("draft", "upload", "comment")]
    assert writes.of_publication(session, intent.publication_id) == made
    assert writes.of_publication(session, 10**9) == []


def test_a_write_stands_once(session: Session, intent: Intent) -> None:
    row = begun(session, intent)
    with pytest.raises(IntegrityError):
        rows.add(session, Write.model_validate(row.model_dump(exclude={"id"})))


def test_looks_in_vain_are_counted_a_minute_apart_until_they_are_enough(session: Session, intent: Intent) -> None:
    row = begun(session, intent)
    assert writes.not_found(session, row.id or 0, 3, SETTLED) == SETTLED + writes.LOOKS_APART
    assert next_of(session, intent, SETTLED) == "wait"
    second = SETTLED + writes.LOOKS_APART
    assert next_of(session, intent, second) == "look"
    assert writes.not_found(session, row.id or 0, 3, second) == second + writes.LOOKS_APART
    assert writes.not_found(session, row.id or 0, 3, second + writes.LOOKS_APART) is None
    assert writes.send_again(session, row.id or 0, intent, second).looks == 0


def test_writes_that_were_put_aside_can_be_made_anew(session: Session, intent: Intent) -> None:
    row = begun(session, intent)
    writes.put_aside(session, intent.publication_id, "draft 77")
    assert (row.target, row.state) == ("7 (draft 77)", WriteState.GIVEN_UP)
    fresh, following = writes.begin(session, intent, NOW)
    assert (following, fresh.id == row.id) == ("send", False)
