"""Writes the planner's decisions to the tables, in the transaction of the thread's look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from bridge.model import Thread
from bridge.store import epoch, events, followers, follows, publications
from bridge.store.tables import Entry, EntryState, Follow, FollowState, Mailbox, Publication
from bridge.sync.keys import entry_key, publication_uid
from bridge.sync.plan import Decision, NewEntry
from bridge.sync.situation import Place


class ClaimedMeanwhile(Exception):
    """A message of a new publication belongs to another one at its destination, which was not there to be joined."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What is to be driven now: (publication, route) pairs; and when the thread must be looked at again anyway."""

    publications: tuple[tuple[int, str], ...]
    look_again_at: datetime | None


def apply(
    session: Session,
    decisions: Iterable[Decision],
    *,
    thread: Thread,
    box: Mailbox,
    now: datetime,
    installation: str,
) -> Applied:
    """Bring follows, publications, claims and entries to what was decided.

    Raises:
        ClaimedMeanwhile: another mailbox claimed one of the messages since the plan was made; plan again.
        sqlalchemy.exc.IntegrityError: likewise, where that was in this very moment.
    """
    rows = {follow.route: follow for follow in follows.of_thread(session, box.id or 0, thread.thread_id)}
    made: dict[tuple[str, str], Publication] = {}
    driven: list[tuple[int, str]] = []
    again: list[datetime] = []
    for decision in decisions:
        follow = rows[decision.route]
        if follow.reason == follows.FORGOTTEN and decision.state is FollowState.FOLLOWING and not decision.forget:
            continue  # ordered since the plan was made
        if decision.look_again_at is not None:
            again.append(decision.look_again_at)
        if decision.forget:
            session.delete(follow)
            continue
        publication = _publication(session, decision, box, thread, now, installation, made)
        open_before = follow.state in follows.OPEN
        _follow(session, follow, decision, publication, thread, now)
        if publication is None:
            continue
        if open_before and follow.state is FollowState.STOPPED:
            followers.call_if_unfinished(session, publication.id or 0, now, but=box.id or 0)
        _entries(session, publication, decision.entries, box, thread, now, installation)
        if decision.state is FollowState.FOLLOWING:
            driven.append((publication.id or 0, decision.route))
    return Applied(tuple(driven), min(again, default=None))


def _publication(
    session: Session,
    decision: Decision,
    box: Mailbox,
    thread: Thread,
    now: datetime,
    installation: str,
    made: dict[tuple[str, str], Publication],
) -> Publication | None:
    if decision.where in ("own", "join"):
        return session.get_one(Publication, decision.publication_id)
    if decision.where == "nowhere" or decision.place is None:
        return None
    place, audience = decision.place, decision.audience
    same = made.get((place.destination, audience))
    if same is not None:
        return same
    keys = [entry.message_key for entry in decision.entries]
    if publications.owners(session, place.destination, audience, keys):
        raise ClaimedMeanwhile
    publication = _new(session, decision, place, box, thread, now, installation)
    session.add(publication)
    session.flush()
    made[(place.destination, audience)] = publication
    return publication


def _new(
    session: Session, decision: Decision, place: Place, box: Mailbox, thread: Thread, now: datetime, installation: str
) -> Publication:
    first = decision.entries[0]
    origin = f"{first.message_key} {box.id} {thread.thread_id}"
    return Publication(
        uid=publication_uid(installation, place.destination, decision.audience, origin),
        destination=place.destination,
        audience=decision.audience,
        route=decision.route,
        account_id=box.account_id,
        cloud_id=place.cloud_id,
        kind=place.kind,
        space_id=place.space_id,
        space_key=place.space_key,
        parent_id=place.container if place.kind == "page" else "",
        page_id=place.container if place.kind == "comment" else "",
        panel_date=first.sent_on,
        created_at=now,
        epoch=epoch.current(session).id,
    )


def _follow(
    session: Session,
    follow: Follow,
    decision: Decision,
    publication: Publication | None,
    thread: Thread,
    now: datetime,
) -> None:
    if publication is not None:
        follow.publication_id = publication.id
    follow.history_id = thread.history_id
    follow.messages = len(thread.messages)
    follow.subject = thread.messages[0].subject[:255] if thread.messages else ""
    if follow.state is FollowState.NEEDS_SOMEBODY and decision.state is FollowState.FOLLOWING and publication:
        # It waits until a write has succeeded.
        return
    changed = follow.state is not decision.state or follow.reason != decision.reason
    if changed:
        follow.since = now
        events.tell(
            session,
            now,
            f"follow {decision.state}",
            route=decision.route,
            account_id=session.get_one(Mailbox, follow.mailbox_id).account_id,
            thread_id=thread.thread_id,
            cause=decision.reason,
            outcome=decision.where,
        )
    follow.state, follow.reason = decision.state, decision.reason
    if changed or decision.detail:
        follow.detail, follow.question = decision.detail, decision.question


def _entries(
    session: Session,
    publication: Publication,
    entries: Sequence[NewEntry],
    box: Mailbox,
    thread: Thread,
    now: datetime,
    installation: str,
) -> None:
    """Add what is missing, in order; each message is claimed for its publication unless its key is weak."""
    standing = publications.entries(session, publication.id or 0)
    keys = {entry.message_key for entry in standing}
    ordinal = max((entry.ordinal for entry in standing), default=-1)
    owned = publications.owners(
        session, publication.destination, publication.audience, [entry.message_key for entry in entries]
    )
    for entry in entries:
        owner = owned.get(entry.message_key)
        if entry.message_key in keys or owner not in (None, publication.id):
            continue
        ordinal += 1
        if owner is None and not entry.message_key.startswith("weak:"):
            publications.claim(session, publication, entry.message_key)
        session.add(
            Entry(
                publication_id=publication.id or 0,
                message_key=entry.message_key,
                ordinal=ordinal,
                kind="body" if ordinal == 0 else "comment",
                state=entry.state,
                key=entry_key(installation, publication.uid, entry.message_key),
                mailbox_id=box.id or 0,
                thread_id=thread.thread_id,
                message_id=entry.message_id,
                sent_on=entry.sent_on,
                reason=entry.reason,
                detail=entry.detail,
                question=entry.question,
                since=now,
            )
        )
        if entry.state is EntryState.HELD:
            events.tell(
                session,
                now,
                "entry held",
                route=publication.route,
                account_id=box.account_id,
                thread_id=thread.thread_id,
                cause=entry.reason,
            )
    session.flush()
