"""How much stands, is under way and waits: counted by the database, not row by row."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, exists, func, or_
from sqlmodel import Session, col, select

from bridge.store.tables import (
    Entry,
    EntryState,
    Follow,
    FollowState,
    Mailbox,
    Publication,
    PublicationState,
    Write,
    WriteState,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many threads there are of each kind; each thread counts under the first that fits.

    ``somebody`` wait for a person (the thread, or a reply of it), ``put_off`` for a provider that failed, ``observed``
    would be published if the mode were another, ``publishing`` are under way, ``published`` stand as they should.
    Stopped and ignored threads count only as published, and only where their page stands; taken down ones never.
    """

    somebody: int = 0
    put_off: int = 0
    publishing: int = 0
    published: int = 0
    observed: int = 0


def standing(session: Session, mailbox_ids: Collection[int] | None = None) -> Standing:
    """Count the threads of all mailboxes, or of some."""
    asked = or_(col(Follow.state).in_((FollowState.HELD, FollowState.NEEDS_SOMEBODY)), _has_entry(EntryState.HELD))
    following = col(Follow.state) == FollowState.FOLLOWING
    published = col(Publication.state) == PublicationState.PUBLISHED
    unfinished = or_(col(Publication.id).is_(None), ~published, _has_entry(EntryState.PLANNED))
    kind = case(
        (and_(following | col(Follow.state).in_((FollowState.HELD, FollowState.NEEDS_SOMEBODY)), asked), "somebody"),
        (and_(following, col(Follow.reason).startswith("observed")), "observed"),
        (and_(following, col(Publication.tries) > 0), "put_off"),
        (and_(following, col(Follow.reason) != "nothing to publish", unfinished), "publishing"),
        (and_(col(Follow.state) != FollowState.TAKEN_DOWN, published), "published"),
        else_="",
    )
    query = (
        select(kind, func.count())
        .select_from(Follow)
        .outerjoin(Publication, col(Follow.publication_id) == col(Publication.id))
    )
    if mailbox_ids is not None:
        query = query.where(col(Follow.mailbox_id).in_(mailbox_ids))
    found: dict[str, int] = dict(session.exec(query.group_by(kind)).all())
    found.pop("", None)
    return Standing(**found)


def unfinished(session: Session) -> list[tuple[Follow, Publication | None]]:
    """Return the follows that go on and whose mail is not all published yet, with their publication; oldest first.

    Of a publication that several mailboxes follow, what one of them is to write is no other's.
    """
    mine = (
        col(Publication.account_id)
        == select(col(Mailbox.account_id)).where(col(Mailbox.id) == col(Follow.mailbox_id)).scalar_subquery()
    )
    begun = col(Publication.state).in_((PublicationState.PLANNED, PublicationState.DRAFTED))
    query = (
        select(Follow, Publication)
        .outerjoin(Publication, col(Follow.publication_id) == col(Publication.id))
        .where(
            Follow.state == FollowState.FOLLOWING,
            col(Follow.reason) != "nothing to publish",
            or_(
                col(Publication.id).is_(None),
                and_(or_(begun, col(Publication.tries) > 0), mine),
                _has_entry(EntryState.PLANNED),
            ),
        )
        .order_by(col(Follow.since), col(Follow.id))
    )
    return [(follow, publication) for follow, publication in session.exec(query)]


def not_yet(session: Session, mailbox_ids: Collection[int], now: datetime) -> int:
    """Count the threads whose label was seen a moment ago, so that they wait before anything is written."""
    query = (
        select(func.count())
        .select_from(Follow)
        .where(
            col(Follow.mailbox_id).in_(mailbox_ids),
            Follow.state == FollowState.FOLLOWING,
            col(Follow.publication_id).is_(None),
            col(Follow.not_before) > now,
        )
    )
    return session.exec(query).one()


def writes_done(session: Session, account_ids: Collection[int]) -> dict[str, int]:
    """Count what was written as some people so far, by the kind of write."""
    query = (
        select(col(Write.kind), func.count())
        .where(Write.state == WriteState.DONE, col(Write.account_id).in_(account_ids))
        .group_by(col(Write.kind))
    )
    return dict(session.exec(query).all())


def _has_entry(state: EntryState) -> ColumnElement[bool]:
    return exists().where(
        col(Entry.publication_id) == col(Follow.publication_id),
        col(Entry.mailbox_id) == col(Follow.mailbox_id),
        col(Entry.thread_id) == col(Follow.thread_id),
        col(Entry.state) == state,
    )
