"""Publications with their claims, entries and attachments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, update
from sqlmodel import Session, col, select

from bridge.store.lapse import lapsed
from bridge.store.tables import (
    Attachment,
    AttachmentState,
    Claim,
    Entry,
    EntryState,
    KeptInput,
    Publication,
)

LEASE = timedelta(minutes=5)
"""How long a worker may write to a publication without a word."""


def lease(session: Session, publication_id: int, *, owner: str, now: datetime) -> bool:
    """Take (or lengthen) the lease of a publication; return False while another worker has it."""
    done = session.exec(
        update(Publication)
        .where(
            col(Publication.id) == publication_id,
            or_(
                col(Publication.lease) == owner,
                lapsed(col(Publication.lease), col(Publication.lease_until), now, LEASE),
            ),
        )
        .values(lease=owner, lease_until=now + LEASE)
    )
    return bool(done.rowcount)


def release(session: Session, publication_id: int, *, owner: str) -> None:
    """Give the lease back."""
    session.exec(
        update(Publication)
        .where(col(Publication.id) == publication_id, col(Publication.lease) == owner)
        .values(lease="", lease_until=None)
    )


def by_uid(session: Session, uid: str) -> Publication | None:
    """Return the publication of a ``/p/UID`` address, None where there is none."""
    return session.exec(select(Publication).where(Publication.uid == uid)).first()


def by_content(session: Session, content_id: str) -> list[Publication]:
    """Return the publications of a page's, post's or comment's id: one for each site that has such an id."""
    query = select(Publication).where(Publication.content_id == content_id, col(Publication.content_id) != "")
    return list(session.exec(query.order_by(col(Publication.id))))


def owners(session: Session, destination: str, audience: str, message_keys: Iterable[str]) -> dict[str, int]:
    """Return which publication owns each message at a destination, by message key."""
    keys = sorted(set(message_keys))
    found: dict[str, int] = {}
    for start in range(0, len(keys), 500):
        query = select(Claim).where(
            Claim.destination == destination,
            Claim.audience == audience,
            col(Claim.message_key).in_(keys[start : start + 500]),
        )
        found.update((claim.message_key, claim.publication_id) for claim in session.exec(query))
    return found


def claim(session: Session, publication: Publication, message_key: str) -> None:
    """Let a publication own a message; a second owner at one destination breaks the table's unique."""
    assert publication.id is not None
    session.add(
        Claim(
            destination=publication.destination,
            audience=publication.audience,
            message_key=message_key,
            publication_id=publication.id,
        )
    )


def parents(session: Session, cloud_id: str, space_id: str) -> set[str]:
    """Return the ids of the pages below which publications were made in a space."""
    query = select(col(Publication.parent_id)).where(
        Publication.cloud_id == cloud_id, Publication.space_id == space_id, col(Publication.parent_id) != ""
    )
    return set(session.exec(query.distinct()))


def everyone(session: Session) -> list[Publication]:
    """Return every publication, oldest first."""
    return list(session.exec(select(Publication).order_by(col(Publication.id))))


def entries(session: Session, publication_id: int) -> list[Entry]:
    """Return the entries of a publication in their order."""
    query = select(Entry).where(Entry.publication_id == publication_id)
    return list(session.exec(query.order_by(col(Entry.ordinal), col(Entry.id))))


def held_entries(session: Session) -> list[Entry]:
    """Return the entries that wait for an answer, the longest waiting first."""
    query = select(Entry).where(Entry.state == EntryState.HELD)
    return list(session.exec(query.order_by(col(Entry.since), col(Entry.id))))


def attachments(session: Session, publication_id: int) -> list[Attachment]:
    """Return the files of a publication."""
    query = select(Attachment).where(Attachment.publication_id == publication_id)
    return list(session.exec(query.order_by(col(Attachment.id))))


def drop_attachments(session: Session, publication_id: int) -> None:
    """Forget the files of a publication that begins anew; no write may name one any more."""
    session.flush()
    session.exec(delete(Attachment).where(col(Attachment.publication_id) == publication_id))


def names_on(session: Session, page_id: str) -> set[str]:
    """Return the casefolded names that are reserved on a page."""
    return {a.folded for a in session.exec(select(Attachment).where(Attachment.page_id == page_id))}


def same_bytes(session: Session, publication_id: int, sha256: str, inline: bool) -> Attachment | None:
    """Return the file of a publication that has these bytes already."""
    query = select(Attachment).where(
        Attachment.publication_id == publication_id, Attachment.sha256 == sha256, Attachment.inline == inline
    )
    return session.exec(query).first()


def kept_until(session: Session, entry_ids: Iterable[int]) -> dict[int, datetime]:
    """Return until when the refused texts of some entries are kept, by entry; none for those without one."""
    query = select(KeptInput).where(col(KeptInput.entry_id).in_(sorted(set(entry_ids))))
    return {kept.entry_id: kept.expires_at for kept in session.exec(query.order_by(col(KeptInput.expires_at)))}


def uploaded(session: Session, entry_id: int) -> dict[str, Attachment]:
    """Return an entry's files that stand on the page, by source."""
    query = select(Attachment).where(Attachment.entry_id == entry_id, Attachment.state == AttachmentState.DONE)
    return {a.source: a for a in session.exec(query)}
