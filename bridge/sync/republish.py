"""A person asks for a thread anew, whose page people took away; and the thorough look that comes before.

The page that was is never touched: the new one has a uid, markers and writes of its own.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col

from bridge.confluence import Confluence
from bridge.confluence import Kind as ContainerKind
from bridge.errors import BridgeError, NotFound
from bridge.store import events, followers, follows, grants, mailboxes, meta, publications, threads
from bridge.store.engine import Store
from bridge.store.tables import (
    Claim,
    Entry,
    EntryState,
    Follow,
    FollowState,
    GrantState,
    Mailbox,
    Publication,
    PublicationState,
)
from bridge.sync.context import Bridge
from bridge.sync.fate import Fate, look
from bridge.sync.keys import entry_key, publication_uid

REMOVED = "Removed in Confluence."
"""An entry's detail, where people deleted its comment; it is never posted again."""

PUBLISHED_AGAIN = "Published again at its person's wish; see the publication that came instead."
"""The detail of a publication that another one replaced, and of its entries that were not written."""


def look_at(bridge: Bridge, follow_id: int) -> Fate:
    """Look at a follow's page as its person, and at each of our comments there; write down what people removed.

    Where it stands again, all who wait for it are called.

    Returns:
        What became of the page; what is known already where nothing stands yet.

    Raises:
        BridgeError: the follow has no page yet, or its person is not connected.
        errors.RemoteError: Confluence could not be asked.
    """
    with bridge.store.read() as session:
        follow, publication = _followed(session, follow_id)
        box = session.get_one(Mailbox, follow.mailbox_id)
        grant = grants.find(session, box.account_id, "atlassian")
        entries = publications.entries(session, publication.id or 0)
    if grant is None or grant.state is not GrantState.LIVE:
        raise BridgeError(f"{box.address} is not connected to Confluence. Connect: mailbridge connect {box.address}")
    if not publication.content_id:
        return Fate(publication.remote)
    client = bridge.confluence(grant)
    found = look(client, publication)
    gone = _deleted(client, publication, entries) if found.remote == "" else []
    now = bridge.clock.now()
    with bridge.store.write() as session:
        row = session.get_one(Publication, publication.id)
        if row.remote != "" and found.remote == "":
            followers.call(session, row.id or 0, now, but=0)
        row.remote, row.remote_at = found.remote, now
        for entry_id in gone:
            entry = session.get_one(Entry, entry_id)
            entry.state, entry.detail, entry.since = EntryState.REMOVED, REMOVED, now
            events.tell(
                session,
                now,
                "comment removed",
                route=row.route,
                account_id=box.account_id,
                thread_id=follow.thread_id,
                remote_id=entry.remote_id,
                cause="removed in Confluence",
            )
    return found


def republish(store: Store, follow_id: int, now: datetime) -> Publication:
    """Have a thread published anew, at the place of the page that people took away; return the new publication.

    Every message keeps its decision: what was held or left out stays so, and a comment that people deleted stays away.
    All who followed the old page follow the new one. The old page is not touched; its row names its successor.

    Raises:
        BridgeError: the page stands as far as is known (see ``look_at``), or the follow has none.
    """
    with store.write() as session:
        follow, old = _followed(session, follow_id)
        if old.remote == "" or old.state is PublicationState.REMOVED:
            raise BridgeError(f"The page of this thread stands: {old.url or 'it is about to be published'}")
        box = session.get_one(Mailbox, follow.mailbox_id)
        new = _successor(session, old, follow, box, now)
        _move_entries(session, old, new, now)
        session.exec(update(Claim).where(col(Claim.publication_id) == old.id).values(publication_id=new.id))
        old.state, old.successor_uid, old.detail = PublicationState.REMOVED, new.uid, PUBLISHED_AGAIN
        for other in follows.of_publication(session, old.id or 0):
            other.publication_id = new.id
            if other.state in (FollowState.FOLLOWING, FollowState.NEEDS_SOMEBODY):
                other.state, other.reason, other.detail = FollowState.FOLLOWING, "", ""
                other.since, other.tries, other.next_try_at = now, 0, None
                threads.wake(session, other.mailbox_id, other.thread_id, now)
                mailboxes.due_now(session, other.mailbox_id, now)
        events.tell(
            session,
            now,
            "published again",
            route=old.route,
            account_id=box.account_id,
            thread_id=follow.thread_id,
            remote_id=old.content_id,
            cause=old.remote,
            outcome=new.uid,
        )
        return new


def _followed(session: Session, follow_id: int) -> tuple[Follow, Publication]:
    follow = session.get_one(Follow, follow_id)
    if follow.publication_id is None:
        raise BridgeError("Nothing of this thread was published yet.")
    return follow, session.get_one(Publication, follow.publication_id)


def _successor(session: Session, old: Publication, follow: Follow, box: Mailbox, now: datetime) -> Publication:
    installation = meta.get(session, "installation")
    origin = f"{old.uid} round {old.round + 1}"
    on_a_page = old.kind == "comment"
    new = Publication(
        uid=publication_uid(installation, old.destination, old.audience, origin),
        destination=old.destination,
        audience=old.audience,
        route=follow.route,
        account_id=box.account_id,
        cloud_id=old.cloud_id,
        kind=old.kind,
        space_id=old.space_id,
        space_key=old.space_key,
        parent_id=old.parent_id,
        page_id=old.page_id if on_a_page else "",
        panel_date=old.panel_date,
        created_at=now,
        epoch=old.epoch,
        round=old.round + 1,
    )
    session.add(new)
    session.flush()
    return new


def _move_entries(session: Session, old: Publication, new: Publication, now: datetime) -> None:
    installation = meta.get(session, "installation")
    for ordinal, entry in enumerate(publications.entries(session, old.id or 0)):
        kept = entry.state in (EntryState.HELD, EntryState.GIVEN_UP) or (
            entry.state is EntryState.REMOVED and ordinal > 0
        )
        session.add(
            Entry(
                publication_id=new.id or 0,
                message_key=entry.message_key,
                ordinal=ordinal,
                kind="body" if ordinal == 0 else "comment",
                state=entry.state if kept else EntryState.PLANNED,
                key=entry_key(installation, new.uid, entry.message_key),
                mailbox_id=entry.mailbox_id,
                thread_id=entry.thread_id,
                message_id=entry.message_id,
                sent_on=entry.sent_on,
                answer=entry.answer,
                since=now,
                reason=entry.reason if kept else "",
                detail=entry.detail if kept else "",
                question=entry.question if kept else "",
            )
        )
        if entry.state in (EntryState.HELD, EntryState.PLANNED, EntryState.FAILED):
            entry.state, entry.question, entry.detail, entry.since = EntryState.GIVEN_UP, "", PUBLISHED_AGAIN, now


def _deleted(client: Confluence, publication: Publication, entries: list[Entry]) -> list[int]:
    """Return which of our comments people deleted: absent from the list, and a 404 by its id on a page that is shown.

    Raises:
        errors.RemoteError: Confluence could not be asked.
    """
    posted = [e for e in entries if e.state is EntryState.DONE and e.remote_id not in ("", publication.content_id)]
    if not posted:
        return []
    kind: ContainerKind = "blogpost" if publication.kind == "blogpost" else "page"
    listed = (
        client.replies(publication.content_id)
        if publication.kind == "comment"
        else client.comments(kind, publication.content_id)
    )
    standing = {comment.id for comment in listed}
    gone: list[int] = []
    for entry in posted:
        if entry.remote_id in standing:
            continue
        try:
            client.comment(entry.remote_id)
        except NotFound:
            gone.append(entry.id or 0)
    return gone
