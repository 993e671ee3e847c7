"""Gathers what the planner must know: the tables' part in one read, then the places and what may be joined."""

from __future__ import annotations

from dataclasses import replace

from sqlmodel import Session

from bridge.config import Settings
from bridge.confluence import Confluence
from bridge.model import Thread
from bridge.store import accounts, follows, mailboxes, publications, writes
from bridge.store.tables import (
    Follow,
    FollowState,
    Grant,
    Mailbox,
    Publication,
    PublicationState,
    WriteState,
)
from bridge.sync.adopt import adopted
from bridge.sync.context import Bridge
from bridge.sync.detect import route_labels
from bridge.sync.fate import look
from bridge.sync.observed import reason_before
from bridge.sync.places import place
from bridge.sync.plan import needs_place
from bridge.sync.situation import KnownEntry, KnownFollow, KnownPublication, NoPlace, Place, Situation
from bridge.sync.takeover import connected


def situation(bridge: Bridge, box: Mailbox, settings: Settings, thread: Thread) -> Situation:
    """Return what the tables know of a thread; ``places`` and ``joinable`` are still empty."""
    with bridge.store.read() as session:
        names = {
            label.gmail_id: label.name for label in mailboxes.labels(session, box.id or 0) if label.gone_at is None
        }
        known = {
            follow.route: _follow(session, box, follow)
            for follow in follows.of_thread(session, box.id or 0, thread.thread_id)
        }
    return Situation(
        thread=thread,
        owner=box.address,
        account_id=box.account_id,
        now=bridge.clock.now(),
        routes=settings.routes,
        labels=route_labels(settings, names),
        follows=known,
        narrow_replies=settings.safety.narrow_replies,
        look_again=2 * settings.gmail.poll_idle,
    )


def with_places(bridge: Bridge, now: Situation, grant: Grant, client: Confluence) -> Situation:
    """Add the places of new publications, and what could be joined there.

    A second person joins a page only if their own look at it succeeds; else theirs is a publication of its own.

    Raises:
        NotYet: it is too early to look for what the database lost sight of.
        errors.RemoteError: Confluence could not be asked.
    """
    places: dict[str, Place | NoPlace] = {}
    joinable: dict[str, KnownPublication] = {}
    audiences: dict[str, str] = {}
    for route in needs_place(now):
        found = place(bridge, grant, client, route)
        places[route.name] = found
        audiences[route.name] = str(now.account_id) if route.visibility == "author" else ""
        if isinstance(found, NoPlace):
            continue
        standing = _standing(bridge, now, found, audiences[route.name])
        if standing is None:
            lost = adopted(bridge, client, now.account_id, now.thread, found, audiences[route.name], route.name)
            if lost is not None:
                joinable[route.name] = _known(bridge, now.account_id, lost)
            continue
        if standing.account_id == now.account_id or _may_see(bridge, client, standing):
            joinable[route.name] = _known(bridge, now.account_id, standing)
        else:
            audiences[route.name] = str(now.account_id)
            mine = audiences[route.name]
            own = _standing(bridge, now, found, mine)
            own = own or adopted(bridge, client, now.account_id, now.thread, found, mine, route.name)
            if own is not None:
                joinable[route.name] = _known(bridge, now.account_id, own)
    return replace(now, places=places, joinable=joinable, audiences=audiences)


def _follow(session: Session, box: Mailbox, follow: Follow) -> KnownFollow:
    publication = None
    if follow.publication_id is not None:
        row = session.get_one(Publication, follow.publication_id)
        if not _may_still_join(session, row):
            publication = _publication(session, row, box.account_id)
    return KnownFollow(
        route=follow.route,
        state=follow.state,
        reason=reason_before(follow.reason),
        answer=follow.answer,
        since=follow.since,
        not_before=follow.not_before,
        publication=publication,
    )


def _may_still_join(session: Session, publication: Publication) -> bool:
    """Say whether a publication for one person alone is but a plan: nothing of it may stand in Confluence.

    It was planned where that person could not see the page that others have; by now they may.
    """
    return (
        publication.state is PublicationState.PLANNED
        and publication.audience != ""
        and not any(
            write.state in (WriteState.SENT, WriteState.DONE)
            for write in writes.of_publication(session, publication.id or 0)
        )
    )


def _known(bridge: Bridge, account_id: int, publication: Publication) -> KnownPublication:
    with bridge.store.read() as session:
        return _publication(session, publication, account_id)


def _publication(session: Session, publication: Publication, account_id: int) -> KnownPublication:
    assert publication.id is not None
    return KnownPublication(
        id=publication.id,
        state=publication.state,
        mine=publication.account_id == account_id,
        writer_able=writer_able(session, publication),
        writer=accounts.by_id(session, publication.account_id).address,
        entries=tuple(
            KnownEntry(entry.message_key, entry.state, entry.ordinal, entry.answer)
            for entry in publications.entries(session, publication.id)
        ),
    )


def writer_able(session: Session, publication: Publication) -> bool:
    """Say whether a publication's own writer still follows it and can write."""
    box = mailboxes.by_account(session, publication.account_id)
    return (
        box is not None
        and connected(session, publication.account_id)
        and any(
            follow.mailbox_id == box.id and follow.state in (FollowState.FOLLOWING, FollowState.HELD)
            for follow in follows.of_publication(session, publication.id or 0)
        )
    )


def _standing(bridge: Bridge, now: Situation, found: Place, audience: str) -> Publication | None:
    """Return the publication that owns one of the thread's messages at a place, removed or not; weak keys never."""
    keys = [message.key for message in now.thread.messages if not message.key.startswith("weak:")]
    with bridge.store.read() as session:
        owned = publications.owners(session, found.destination, audience, keys)
        first = next((owned[key] for key in keys if key in owned), None)
        return session.get(Publication, first) if first is not None else None


def _may_see(bridge: Bridge, client: Confluence, publication: Publication) -> bool:
    """Ask as the person; what Confluence shows of a page that people took away is kept, so that they are told.

    Raises:
        errors.RemoteError: Confluence could not be asked, or does not accept the connection.
    """
    if publication.state is not PublicationState.PUBLISHED:
        return True
    found = look(client, publication)
    if not found.seen:
        return False
    if found.remote != publication.remote:
        with bridge.store.write() as session:
            session.get_one(Publication, publication.id).remote = found.remote
    return True
