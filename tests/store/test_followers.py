from __future__ import annotations

import pytest
from sqlmodel import Session, col, select

from bridge.store import followers, grants
from bridge.store.tables import (
    EntryState,
    FollowState,
    GrantState,
    Mailbox,
    Publication,
    PublicationState,
    TouchedThread,
)

from support import rows
from support.rows import NOW, after

LATER = after(hours=1)


def queue(session: Session) -> list[tuple[int, str]]:
    found = session.exec(select(TouchedThread).order_by(col(TouchedThread.mailbox_id), col(TouchedThread.thread_id)))
    return [(row.mailbox_id, row.thread_id) for row in found]


def shared(session: Session, **values: object) -> tuple[Publication, Mailbox, Mailbox]:
    """A page of Ada's that Bob follows too; Bob's mailbox is due in an hour."""
    ada, bob = rows.mailbox(session), rows.mailbox(session, "bob@acme.example", due_at=LATER)
    page = rows.publication(session, ada, **values)
    rows.follow(session, ada, publication_id=page.id)
    rows.follow(session, bob, "t2", publication_id=page.id)
    return page, ada, bob


def test_the_others_are_called_and_their_mailboxes_are_due(session: Session) -> None:
    page, ada, bob = shared(session)
    followers.call(session, page.id or 0, NOW, but=ada.id or 0)
    session.refresh(bob)
    assert (queue(session), bob.due_at) == ([(bob.id, "t2")], NOW)


@pytest.mark.parametrize("state", [FollowState.STOPPED, FollowState.IGNORED, FollowState.TAKEN_DOWN])
def test_who_follows_no_more_is_not_called(session: Session, state: FollowState) -> None:
    ada, bob = rows.mailbox(session), rows.mailbox(session, "bob@acme.example")
    page = rows.publication(session, ada)
    rows.follow(session, bob, "t2", publication_id=page.id, state=state)
    followers.call(session, page.id or 0, NOW, but=ada.id or 0)
    assert queue(session) == []


@pytest.mark.parametrize(("state", "called"), [(EntryState.PLANNED, True), (EntryState.DONE, False)])
def test_they_are_called_only_for_what_is_still_to_be_written(
    session: Session, state: EntryState, called: bool
) -> None:
    page, ada, bob = shared(session)
    rows.entry(session, page, ada, state=state)
    expected = [(bob.id, "t2")] if called else []
    followers.call_if_unfinished(session, page.id or 0, NOW, but=ada.id or 0)
    assert queue(session) == expected
    followers.call_for(session, ada.account_id, NOW)
    assert queue(session) == expected


def test_a_page_that_another_one_replaced_calls_nobody(session: Session) -> None:
    page, ada, _ = shared(session, state=PublicationState.REMOVED)
    rows.entry(session, page, ada)
    followers.call_for(session, ada.account_id, NOW)
    assert queue(session) == []


def test_a_connection_that_ends_calls_who_can_go_on(session: Session) -> None:
    page, ada, bob = shared(session)
    rows.entry(session, page, ada)
    owner = rows.grant(session, session.get_one(rows.Account, ada.account_id))
    assert grants.needs_consent(session, owner.id or 0, "ended", NOW, generation=owner.generation)
    assert queue(session) == [(bob.id, "t2")]
    session.refresh(owner)
    assert owner.state is GrantState.NEEDS_CONSENT


def test_the_mailbox_of_an_entry_is_called_unless_it_is_due(session: Session) -> None:
    page, ada, bob = shared(session)
    entry = rows.entry(session, page, bob, thread_id="t2")
    followers.call_owner(session, entry, NOW)
    row = session.exec(select(TouchedThread)).one()
    followers.call_owner(session, entry, NOW)
    session.refresh(row)
    assert (row.mailbox_id, row.due_at, row.generation) == (bob.id, NOW, 1)
    row.due_at = LATER
    session.flush()
    followers.call_owner(session, entry, NOW)
    session.refresh(row)
    assert (row.due_at, ada.due_at) == (NOW, NOW)
