"""Drives every kind of write through the protocol: commit the intent, send, commit the result.

Where an answer was lost, it looks before it sends again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from bridge.clock import Clock
from bridge.confluence import Confluence
from bridge.errors import RemoteError
from bridge.store import events, publications, writes
from bridge.store.engine import Store
from bridge.store.tables import Publication, Write, WriteState
from bridge.store.writes import Intent
from bridge.sync.keys import write_key
from bridge.sync.writes.base import Kind, Result

LEASE_TAKEN = timedelta(seconds=5)
"""How soon a publication is looked at again that another worker writes to."""

LOOK_BACK = timedelta(minutes=15)
"""How much older than the request a thing may seem and still be its effect: the two clocks differ."""


class NotYet(Exception):
    """An earlier request may still take effect; ``until`` is when it can be looked for."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"not before {until:%H:%M:%S}")
        self.until = until


@dataclass(frozen=True, slots=True)
class Performer:
    """Makes the writes of one publication, as one person.

    Args:
        store: where intents and results are committed.
        clock: says when a request was sent.
        client: the person's Confluence.
        account_id: whose tokens write.
        publication_id: whose writes these are.
        installation: from which write keys are derived.
        publication_uid: likewise.
        thread_id: for the events.
        owner: who has the publication's lease; each write lengthens it, and none is made without it.
    """

    store: Store
    clock: Clock
    client: Confluence
    account_id: int
    publication_id: int
    installation: str
    publication_uid: str
    thread_id: str
    owner: str = ""

    def perform(self, kind: Kind, *, entry_id: int | None = None, attachment_id: int | None = None) -> None:
        """Make a write, unless it was made already.

        Raises:
            NotYet: an earlier request's answer was lost and its settle time is not over; or another worker has taken
                the publication over, since this one was away for longer than its lease.
            errors.RemoteError: it failed; the row says how.
        """
        intent, now = self._intent(kind, entry_id, attachment_id), self.clock.now()
        with self.store.write() as session:
            if not publications.lease(session, self.publication_id, owner=self.owner, now=now):
                raise NotYet(now + LEASE_TAKEN)
            row, following = writes.begin(session, intent, now)
        if following == "done":
            return
        if following == "wait":
            assert row.look_after is not None
            raise NotYet(row.look_after)
        if following == "look":
            found = self._look(kind, row)
            if found is not None:
                self._finish(kind, row, found, "found again")
                return
            with self.store.write() as session:
                row = writes.send_again(session, row.id or 0, intent, self.clock.now())
        self._send(kind, row)

    def has_ended(self, kind: Kind) -> bool:
        """Say whether a write was sent and its answer came, be it a refusal."""
        with self.store.read() as session:
            row = writes.find(session, self.publication_id, kind.kind, kind.target)
            return row is not None and row.state not in (WriteState.PLANNED, WriteState.SENT)

    def _look(self, kind: Kind, row: Write) -> Result | None:
        sent_at = row.sent_at or self.clock.now()
        return kind.look(self.client, row, sent_at - LOOK_BACK)

    def _send(self, kind: Kind, row: Write) -> None:
        try:
            result = kind.request(self.client, row)
        except RemoteError as error:
            with self.store.write() as session:
                writes.failed(session, row.id or 0, error)
            raise
        self._finish(kind, row, result, "done")

    def _finish(self, kind: Kind, row: Write, result: Result, outcome: str) -> None:
        now = self.clock.now()
        with self.store.write() as session:
            done = writes.done(session, row.id or 0, result.remote_id)
            kind.done(session, done, result, now)
            self._tell(session, kind, result, outcome, now)

    def _tell(self, session: Session, kind: Kind, result: Result, outcome: str, now: datetime) -> None:
        publication = session.get_one(Publication, self.publication_id)
        events.tell(
            session,
            now,
            kind.kind,
            route=publication.route,
            account_id=self.account_id,
            thread_id=self.thread_id,
            remote_id=result.remote_id,
            version=result.version,
            outcome=outcome,
        )

    def _intent(self, kind: Kind, entry_id: int | None, attachment_id: int | None) -> Intent:
        return Intent(
            publication_id=self.publication_id,
            kind=kind.kind,
            target=kind.target,
            account_id=self.account_id,
            key=write_key(self.installation, self.publication_uid, kind.kind, kind.target),
            settle=kind.settle,
            title=kind.title,
            entry_id=entry_id,
            attachment_id=attachment_id,
        )
