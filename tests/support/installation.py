"""A small installation on disk: a configuration file and a migrated SQLite store whose rows are made by hand."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bridge.clock import SystemClock
from bridge.store import meta
from bridge.store.engine import Store, open_store
from bridge.store.migrate import migrate
from bridge.store.tables import (
    Account,
    Entry,
    Follow,
    Grant,
    Mailbox,
    Publication,
    PublicationState,
    TouchedThread,
    Write,
    WriteState,
)

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)

CONFIG = """\
[google]
client_id = "g"
domains = ["example.com"]
[atlassian]
client_id = "a"
sites = ["https://example.atlassian.net"]
[store]
url = "sqlite:///{database}"
seal_key_file = "{key}"
[web]
admin_sees_subjects = {subjects}
[[routes]]
name = "eng"
label = "Confluence/ENG"
space = "ENG"
"""


@dataclass
class Installation:
    """Rows are dated relative to ``now``."""

    store: Store
    config: Path
    now: datetime

    @classmethod
    def make(cls, folder: Path, *, now: datetime | None = None, subjects: bool = False) -> Installation:
        """Make the file and the database in a folder; ``now`` is the machine's where a command is to be run."""
        database = folder / "mailbridge.db"
        migrate(f"sqlite:///{database}")
        config = folder / "config.toml"
        key = folder / "seal_key"
        key.write_bytes(base64.urlsafe_b64encode(b"k" * 32))
        key.chmod(0o600)
        config.write_text(CONFIG.format(database=database, key=key, subjects=str(subjects).lower()))
        return cls(open_store(f"sqlite:///{database}"), config, now or SystemClock().now())

    def ago(self, **span: float) -> datetime:
        return self.now - timedelta(**span)

    def daemon(self, *, started: datetime, looked: datetime, version: str = "1.2.0") -> None:
        with self.store.write() as session:
            meta.put(session, "daemon.started", started.isoformat())
            meta.put(session, "daemon.looked", looked.isoformat())
            meta.put(session, "daemon.version", version)

    def person(self, name: str, *, grants: dict[str, str] | None = None, paused: bool = False, **box: Any) -> Mailbox:
        """Add a person with a mailbox; ``grants`` names each provider's state, both living where it is left out."""
        address = f"{name.split(maxsplit=1)[0].lower()}@example.com"
        with self.store.write() as session:
            account = Account(address=address, name=name, paused=paused, created_at=self.ago(days=30))
            session.add(account)
            session.flush()
            for provider, state in (grants or {"google": "live", "atlassian": "live"}).items():
                session.add(
                    Grant(
                        account_id=account.id,
                        provider=provider,
                        subject=f"{provider}-{address}",
                        sealed="-",
                        state=state,
                        state_since=self.ago(days=1, hours=1),
                        refreshed_at=self.ago(hours=1),
                        connected_at=self.ago(days=30),
                    )
                )
            row = Mailbox(account_id=account.id or 0, address=address, due_at=self.ago(minutes=1), **box)
            session.add(row)
            session.flush()
            return row

    def publication(self, box: Mailbox, **fields: Any) -> Publication:
        with self.store.write() as session:
            number = fields.pop("number", 1)
            row = Publication(
                **{
                    "uid": f"uid-{number}",
                    "destination": f"cloud / {number} / page / -",
                    "state": PublicationState.PUBLISHED,
                    "account_id": box.account_id,
                    "cloud_id": "cloud",
                    "kind": "page",
                    "space_id": "1",
                    "content_id": str(1000 + number),
                    "created_at": self.ago(days=2),
                }
                | fields
            )
            session.add(row)
            session.flush()
            return row

    def follow(self, box: Mailbox, thread_id: str, **fields: Any) -> Follow:
        with self.store.write() as session:
            row = Follow(
                **{
                    "mailbox_id": box.id,
                    "thread_id": thread_id,
                    "route": "eng",
                    "since": self.ago(hours=2),
                    "labelled_at": self.ago(hours=3),
                    "not_before": self.ago(hours=3),
                    "subject": "Release plan",
                }
                | fields
            )
            session.add(row)
            session.flush()
            return row

    def entry(self, publication: Publication, box: Mailbox, thread_id: str, **fields: Any) -> Entry:
        with self.store.write() as session:
            row = Entry(
                **{
                    "publication_id": publication.id,
                    "message_key": fields.get("key", "k"),
                    "ordinal": 1,
                    "kind": "comment",
                    "mailbox_id": box.id,
                    "thread_id": thread_id,
                    "message_id": "m2",
                    "sent_on": self.ago(hours=1),
                    "since": self.ago(minutes=10),
                }
                | fields
            )
            session.add(row)
            session.flush()
            return row

    def wrote(self, publication: Publication, kind: str, target: str) -> None:
        with self.store.write() as session:
            session.add(
                Write(
                    publication_id=publication.id or 0,
                    kind=kind,
                    target=target,
                    account_id=publication.account_id,
                    state=WriteState.DONE,
                    key="00000000",
                )
            )

    def touched(self, box: Mailbox, thread_id: str, *, due_at: datetime) -> None:
        with self.store.write() as session:
            session.add(TouchedThread(mailbox_id=box.id or 0, thread_id=thread_id, due_at=due_at))
