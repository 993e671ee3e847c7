"""Followers of one publication, who go on for each other: calls them when the one whose turn it is cannot go on."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, or_, select

from bridge.store import follows, mailboxes, threads
from bridge.store.tables import Entry, EntryState, Publication, PublicationState, TouchedThread


def call(session: Session, publication_id: int, now: datetime, *, but: int) -> None:
    """Make the threads of a publication's other followers due.

    Args:
        session: a write session.
        publication_id: which publication.
        now: the instant.
        but: the mailbox that needs no call: it is at it now, or cannot go on.
    """
    for follow in follows.of_publication(session, publication_id):
        if follow.mailbox_id != but and follow.state in follows.OPEN:
            threads.wake(session, follow.mailbox_id, follow.thread_id, now)
            mailboxes.due_now(session, follow.mailbox_id, now)


def call_if_unfinished(session: Session, publication_id: int, now: datetime, *, but: int) -> None:
    """Call the other followers where something of a publication is still to be written; arguments as in ``call``."""
    planned = select(Entry.id).where(Entry.publication_id == publication_id, Entry.state == EntryState.PLANNED)
    if session.exec(planned.limit(1)).first() is not None:
        call(session, publication_id, now, but=but)


def call_for(session: Session, account_id: int, now: datetime) -> None:
    """Call the followers of all that waits for a person who cannot go on: what they began, or what their mailbox has.

    To be called when a connection ends, a person is paused, or is forgotten.
    """
    box = mailboxes.by_account(session, account_id)
    box_id = box.id if box is not None and box.id is not None else 0
    unfinished = (
        select(col(Publication.id))
        .join(Entry, col(Entry.publication_id) == col(Publication.id))
        .where(
            col(Entry.state) == EntryState.PLANNED,
            col(Publication.state) != PublicationState.REMOVED,
            or_(col(Publication.account_id) == account_id, col(Entry.mailbox_id) == box_id),
        )
        .distinct()
    )
    for publication_id in session.exec(unfinished):
        call(session, publication_id or 0, now, but=box_id)


def call_owner(session: Session, entry: Entry, now: datetime) -> None:
    """Have the mailbox of an entry look at its thread, unless that is due already."""
    due = select(TouchedThread.id).where(
        TouchedThread.mailbox_id == entry.mailbox_id,
        TouchedThread.thread_id == entry.thread_id,
        col(TouchedThread.due_at) <= now,
    )
    if session.exec(due).first() is None:
        threads.wake(session, entry.mailbox_id, entry.thread_id, now)
        mailboxes.due_now(session, entry.mailbox_id, now)
