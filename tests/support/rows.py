"""Rows with everything that a test does not care about filled in; each is flushed, so that it has its id."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlmodel import Session, SQLModel

from bridge.store.tables import Account, Attachment, Entry, Follow, Grant, Mailbox, Publication

NOW = datetime(2026, 3, 3, 14, 5, tzinfo=UTC)
DESTINATION = "cloud-1/space-1/page/-"
Row = TypeVar("Row", bound=SQLModel)


def after(**parts: float) -> datetime:
    """Return an instant after (or before) ``NOW``: ``after(minutes=-5)``."""
    return NOW + timedelta(**parts)


def add(session: Session, row: Row) -> Row:
    """Add a row and give it its id."""
    session.add(row)
    session.flush()
    return row


def account(session: Session, address: str = "ada@acme.example") -> Account:
    """Add an account."""
    return add(session, Account(address=address, created_at=NOW))


def grant(session: Session, owner: Account, provider: str = "google", **values: Any) -> Grant:
    """Add a grant of an account."""
    facts: dict[str, Any] = {"subject": f"{provider}-{owner.id}", "sealed": "sealed", "state_since": NOW} | values
    return add(
        session,
        Grant(account_id=owner.id or 0, provider=provider, **{"refreshed_at": NOW, "connected_at": NOW} | facts),
    )


def mailbox(session: Session, address: str = "ada@acme.example", **values: Any) -> Mailbox:
    """Add a mailbox with its account."""
    owner = account(session, address)
    return add(session, Mailbox(account_id=owner.id or 0, address=address, **{"due_at": NOW} | values))


def follow(session: Session, box: Mailbox, thread_id: str = "t1", **values: Any) -> Follow:
    """Add a follow of a mailbox's thread."""
    facts: dict[str, Any] = {"route": "wiki", "since": NOW, "labelled_at": NOW, "not_before": NOW} | values
    return add(session, Follow(mailbox_id=box.id or 0, thread_id=thread_id, **facts))


def publication(session: Session, box: Mailbox, uid: str = "p1", **values: Any) -> Publication:
    """Add a page that a mailbox's owner publishes."""
    facts: dict[str, Any] = {
        "destination": DESTINATION,
        "cloud_id": "cloud-1",
        "kind": "page",
        "space_id": "space-1",
    } | values
    return add(session, Publication(uid=uid, account_id=box.account_id, created_at=NOW, **facts))


def entry(session: Session, of: Publication, box: Mailbox, message_key: str = "m1", **values: Any) -> Entry:
    """Add an entry of a publication."""
    facts: dict[str, Any] = {
        "ordinal": 0,
        "kind": "body",
        "thread_id": "t1",
        "message_id": "g1",
        "sent_on": NOW,
        "since": NOW,
    } | values
    return add(session, Entry(publication_id=of.id or 0, message_key=message_key, mailbox_id=box.id or 0, **facts))


def attachment(session: Session, of: Publication, by: Entry, name: str = "plan.pdf", **values: Any) -> Attachment:
    """Add a file of an entry, by default with bytes of its own."""
    facts: dict[str, Any] = {
        "page_id": "page-1",
        "sha256": name,
        "size": 3,
        "mime_type": "application/pdf",
        "source": f"m1:{name}",
    }
    facts |= {"folded": name.casefold()} | values
    return add(session, Attachment(publication_id=of.id or 0, entry_id=by.id or 0, name=name, **facts))
