"""A migrated store of a test's own, and the rows of a sync in it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from sqlmodel import SQLModel, col, select

from bridge.model import Message
from bridge.store.engine import Store, open_store
from bridge.store.migrate import migrate
from bridge.store.tables import (
    Account,
    Attachment,
    Entry,
    Follow,
    Grant,
    Mailbox,
    Publication,
)
from bridge.store.tables import Label as LabelRow

from support.sync import ADA, LABEL, NOW, PLACE

Row = TypeVar("Row", bound=SQLModel)


@cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.sqlite"
        migrate(f"sqlite:///{path}")
        return path.read_bytes()


@contextmanager
def new_store(folder: Path) -> Iterator[Store]:
    """Give a migrated SQLite store of its own."""
    path = folder / "state.sqlite"
    path.write_bytes(_template())
    store = open_store(f"sqlite:///{path}")
    try:
        yield store
    finally:
        store.close()


def rows(store: Store, table: type[Row]) -> list[Row]:
    """Return all rows of a table, oldest first."""
    with store.read() as session:
        return list(session.exec(select(table).order_by(col(table.id))))  # type: ignore[attr-defined]


def hire(store: Store, address: str = ADA, **box: Any) -> Mailbox:
    """Connect somebody at both providers; their mailbox had its first full pass, unless ``box`` says otherwise."""
    given: dict[str, Any] = {
        "due_at": NOW,
        "cursor": 100,
        "full_pass_at": NOW,
        "cursor_from_profile_at": NOW - timedelta(days=1),
        "labels_key": "confluence/eng",
    }
    with store.write() as session:
        account = Account(address=address, created_at=NOW)
        session.add(account)
        session.flush()
        assert account.id is not None
        for provider in ("google", "atlassian"):
            session.add(
                Grant(
                    account_id=account.id,
                    provider=provider,
                    subject=f"{provider}-{address}",
                    name=address.partition("@")[0].title(),
                    sealed="-",
                    state_since=NOW,
                    refreshed_at=NOW,
                    connected_at=NOW,
                    cloud_id="cloud",
                    site_url="https://example.atlassian.net",
                )
            )
        row = Mailbox(account_id=account.id, address=address, **given | box)
        session.add(row)
        session.flush()
        assert row.id is not None
        for gmail_id, name in ((LABEL, "Confluence/ENG"), ("INBOX", "INBOX")):
            session.add(LabelRow(mailbox_id=row.id, gmail_id=gmail_id, name=name))
        return row


def add_follow(store: Store, box: Mailbox, thread_id: str = "t1", **fields: Any) -> Follow:
    """Add a follow that is past its wait."""
    past = NOW - timedelta(hours=1)
    given = {"route": "eng", "since": past, "labelled_at": past, "not_before": past}
    with store.write() as session:
        row = Follow(mailbox_id=box.id or 0, thread_id=thread_id, **given | fields)
        session.add(row)
        return row


def add_publication(store: Store, box: Mailbox, **fields: Any) -> Publication:
    """Add a publication that is planned, at the route's place."""
    given: dict[str, Any] = {
        "uid": "uid1",
        "destination": PLACE.destination,
        "route": "eng",
        "account_id": box.account_id,
        "cloud_id": "cloud",
        "kind": "page",
        "space_id": "100",
        "space_key": "ENG",
        "created_at": NOW,
    }
    with store.write() as session:
        row = Publication(**given | fields)
        session.add(row)
        return row


def add_entry(store: Store, publication: Publication, box: Mailbox, message: Message, **fields: Any) -> Entry:
    """Add an entry for a mail, the body unless told otherwise."""
    given: dict[str, Any] = {
        "ordinal": 0,
        "kind": "body",
        "key": f"key{message.gmail_id}",
        "thread_id": "t1",
        "message_id": message.gmail_id,
        "sent_on": message.date,
        "since": NOW,
    }
    with store.write() as session:
        row = Entry(
            publication_id=publication.id or 0, message_key=message.key, mailbox_id=box.id or 0, **given | fields
        )
        session.add(row)
        return row


def add_attachment(store: Store, publication: Publication, entry: Entry, data: bytes, **fields: Any) -> Attachment:
    """Add a file whose name is reserved."""
    given: dict[str, Any] = {"page_id": publication.page_id, "name": "report.pdf", "folded": "report.pdf"}
    with store.write() as session:
        row = Attachment(
            publication_id=publication.id or 0,
            entry_id=entry.id or 0,
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
            mime_type="application/pdf",
            source="k:1",
            **given | fields,
        )
        session.add(row)
        return row
