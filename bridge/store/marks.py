"""What was found of ours in Confluence after the database had lost sight of it, and where it was looked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, SQLModel, col, or_, select

from bridge.store.tables import Mark, Publication, Search
from bridge.store.upsert import insert


def mail_digest(message_id: str) -> str:
    """Return what stands for a Message-ID in a mark; '' for a mail without one."""
    return hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest() if message_id else ""


def save(session: Session, found: Iterable[Mark]) -> int:
    """Keep what was found, or what became of it since; return how many are new."""
    new = 0
    for mark in found:
        query = select(Mark).where(Mark.cloud_id == mark.cloud_id, Mark.content_id == mark.content_id)
        known = session.exec(query).first()
        if known is None:
            new += 1
            _once(session, mark, ["cloud_id", "content_id"])
        else:
            known.sqlmodel_update(mark.model_dump(exclude={"id"}))
    return new


def searched(session: Session, search: Search) -> bool:
    """Say whether a place was searched in an epoch as a person."""
    query = select(Search).where(
        Search.epoch == search.epoch,
        Search.cloud_id == search.cloud_id,
        Search.space_id == search.space_id,
        Search.kind == search.kind,
        Search.container == search.container,
        Search.account_id == search.account_id,
    )
    return session.exec(query).first() is not None


def save_search(session: Session, search: Search, now: datetime) -> None:
    """Keep that a place was searched."""
    row = search.model_copy(update={"done_at": now})
    _once(session, row, ["epoch", "cloud_id", "space_id", "kind", "container", "account_id"])


def of_content(session: Session, cloud_id: str, content_id: str) -> Mark | None:
    """Return the mark of a page, post or comment, None where none was found."""
    query = select(Mark).where(Mark.cloud_id == cloud_id, Mark.content_id == content_id)
    return session.exec(query).first()


def on_page(session: Session, cloud_id: str, page_id: str) -> list[Mark]:
    """Return what was found on a page, itself included, the oldest first."""
    query = select(Mark).where(Mark.cloud_id == cloud_id, Mark.page_id == page_id)
    return sorted(session.exec(query), key=_age)


def matching(session: Session, cloud_id: str, mails: Iterable[str], keys: Iterable[str]) -> list[Mark]:
    """Return the marks of mails (their digests) or of markers on a site, the oldest first."""
    wanted, markers = sorted(set(mails) - {""}), sorted(set(keys) - {""})
    found: dict[int | None, Mark] = {}
    for start in range(0, max(len(wanted), len(markers)), 400):
        query = select(Mark).where(
            Mark.cloud_id == cloud_id,
            or_(
                col(Mark.mail).in_(wanted[start : start + 400]),
                col(Mark.key).in_(markers[start : start + 400]),
            ),
        )
        found.update((mark.id, mark) for mark in session.exec(query))
    return sorted(found.values(), key=_age)


def owned(session: Session, mark: Mark) -> Publication | None:
    """Return the publication that a page, post or comment belongs to already."""
    query = select(Publication).where(Publication.cloud_id == mark.cloud_id, Publication.content_id == mark.content_id)
    return session.exec(query).first()


def _once(session: Session, row: SQLModel, unique: list[str]) -> None:
    session.exec(insert(session, row).on_conflict_do_nothing(index_elements=unique))


def _age(mark: Mark) -> tuple[int, str]:
    """Order by id: of two that carry one marker the older is ours, the younger somebody's copy."""
    return (int(mark.content_id) if mark.content_id.isdecimal() else 0, mark.content_id)
