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
from bridge.store import accounts, epoch, events, pauses, publications, writes
from bridge.store.engine import Store
from bridge.store.tables import Entry, Publication, Write, WriteState
from bridge.store.writes import Intent, Tick
from bridge.sync.gap import gap_for
from bridge.sync.keys import write_key
from bridge.sync.writes.base import Kind, Result

LEASE_TAKEN = timedelta(seconds=5)
"""How soon a publication is looked at again that another worker writes to."""

LOOK_BACK = timedelta(hours=26)
"""How much older than the request a thing may seem and still be its effect. This machine's clock may have been a day
ahead when the request left; to look further back costs a few pages of a list, and only where an answer was lost."""

_JUST_NOW = timedelta(minutes=15)

_FRESH_SECONDS = 5.0
"""How old an intent may be when its request leaves. An older one (a wait for a token or for a place, a process that was
stopped) is committed anew first."""


class NotYet(Exception):
    """An earlier request may still take effect; ``until`` is when it can be looked for."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"not before {until:%H:%M:%S}")
        self.until = until


class Resting(NotYet):
    """A person ordered a pause; the order to go on makes the thread due at once, whatever ``until`` says."""


PAUSED_AGAIN = timedelta(hours=6)
"""When a thread is looked at again whose writing is paused, should nobody order it to go on before."""

_PAUSE_SECONDS = 1.0
"""How old the answer may be that nothing is paused, when a request leaves."""


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
        route: under which the thread is looked at; a pause of it, or of the publication's own, holds the write.
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
    route: str = ""

    def perform(self, kind: Kind, *, entry_id: int | None = None, attachment_id: int | None = None) -> None:
        """Make a write, unless it was made already.

        Raises:
            NotYet: an earlier request's answer was lost and its settle time is not over; or another worker has taken
                the publication over, since this one was away for longer than its lease; or writing is paused; or the
                database was put back from a copy just now.
            errors.RemoteError: it failed; the row says how.
        """
        intent, now = self._intent(kind, entry_id, attachment_id), self.clock.now()
        with self.store.write() as session:
            self._not_paused(session, now)
            if not publications.lease(session, self.publication_id, owner=self.owner, now=now):
                raise NotYet(now + LEASE_TAKEN)
            if (gap := gap_for(session, self.publication_id, entry_id)) is not None:
                writes.presume(session, intent, gap)
            row, following = writes.begin(session, intent, now, self._tick())
            number = epoch.count(session) if following == "send" else 0
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
            row, number = self._again(kind, row, intent)
        if not self.store.noted(number):
            raise NotYet(now + LEASE_TAKEN)
        self._send(kind, row, intent)

    def _again(self, kind: Kind, row: Write, intent: Intent) -> tuple[Write, int]:
        """Count a look in vain, and commit that the write is sent anew once that were enough of them.

        Raises:
            NotYet: one look proves nothing here; or the look took so long that another worker came; or writing was
                paused meanwhile.
        """
        now, row_id = self.clock.now(), row.id or 0
        with self.store.write() as session:
            self._not_paused(session, now)
            mine = publications.lease(session, self.publication_id, owner=self.owner, now=now)
            if not mine or not writes.unchanged(session, row_id, row.tries):
                raise NotYet(now + LEASE_TAKEN)
            again = writes.not_found(session, row_id, kind.looks, now)
            if again is None:
                return writes.send_again(session, row_id, intent, now, self._tick()), epoch.count(session)
        raise NotYet(again)

    def found_again(self, kind: Kind) -> bool:
        """Finish a write whose answer was lost, if it stands; it is never sent here.

        Raises:
            NotYet: its settle time is not over, or another worker has the publication.
            errors.RemoteError: Confluence could not be asked.
        """
        with self.store.read() as session:
            row = writes.find(session, self.publication_id, kind.kind, kind.target)
        if row is None or row.state is not WriteState.SENT:
            return False
        intent, now = self._intent(kind, row.entry_id, row.attachment_id), self.clock.now()
        with self.store.write() as session:
            if not publications.lease(session, self.publication_id, owner=self.owner, now=now):
                raise NotYet(now + LEASE_TAKEN)
            row, following = writes.begin(session, intent, now, self._tick())
        if following == "wait":
            raise NotYet(row.look_after or now)
        found = self._look(kind, row)
        if found is None:
            return False
        self._finish(kind, row, found, "found again")
        return True

    def has_ended(self, kind: Kind) -> bool:
        """Say whether a write was made, or given up."""
        with self.store.read() as session:
            row = writes.find(session, self.publication_id, kind.kind, kind.target)
            return row is not None and row.state in (WriteState.DONE, WriteState.GIVEN_UP)

    def was_just_made(self, kind: Kind) -> bool:
        """Say whether a write was made within the last minutes."""
        with self.store.read() as session:
            row = writes.find(session, self.publication_id, kind.kind, kind.target)
        if row is None or row.state is not WriteState.DONE or row.sent_at is None:
            return False
        return self.clock.now() - row.sent_at < _JUST_NOW

    def give_up(self, kind: Kind) -> None:
        """Leave a write that was refused: it is not tried again."""
        self._put(kind, WriteState.GIVEN_UP)

    def plan_anew(self, kind: Kind) -> None:
        """Have a write made again that Confluence said was made, and that does not stand."""
        self._put(kind, WriteState.PLANNED)

    def _put(self, kind: Kind, state: WriteState) -> None:
        with self.store.write() as session:
            row = writes.find(session, self.publication_id, kind.kind, kind.target)
            if row is not None:
                row.state = state

    def _look(self, kind: Kind, row: Write) -> Result | None:
        sent_at = row.sent_at or self.clock.now()
        return kind.look(self.client, row, sent_at - LOOK_BACK)

    def _send(self, kind: Kind, row: Write, intent: Intent) -> None:
        try:
            with self.client.fenced(lambda: self._still_mine(row, intent)):
                result = kind.request(self.client, row)
        except RemoteError as error:
            with self.store.write() as session:
                writes.failed(session, row.id or 0, error)
            raise
        self._finish(kind, row, result, "done")

    def _still_mine(self, row: Write, intent: Intent) -> None:
        """Ask right before the request leaves; a worker that slept since its intent must not send after another.

        Raises:
            NotYet: another worker has taken the publication over, or writing was paused meanwhile.
        """
        tick = self._tick()
        if tick.seconds - row.sent_tick >= _PAUSE_SECONDS:
            with self.store.read() as session:
                self._not_paused(session, self.clock.now())
        if not intent.settle or tick.seconds - row.sent_tick < _FRESH_SECONDS:
            return
        now = self.clock.now()
        with self.store.write() as session:
            mine = publications.lease(session, self.publication_id, owner=self.owner, now=now)
            if not mine or not writes.still_mine(session, row.id or 0, row.tries, intent, now, tick):
                raise NotYet(now + LEASE_TAKEN)
        row.sent_tick = tick.seconds

    def _not_paused(self, session: Session, now: datetime) -> None:
        """Read the pauses that people ordered, in the transaction in which a write is intended.

        Raises:
            Resting: one of them is in force for this write.
        """
        publication = session.get_one(Publication, self.publication_id)
        routes = {pauses.of_route(name) for name in (self.route, publication.route) if name}
        scopes = {pauses.ALL, pauses.of_account(self.account_id), *routes}
        if accounts.by_id(session, self.account_id).paused or pauses.first(session, scopes, now) is not None:
            raise Resting(now + PAUSED_AGAIN)

    def _tick(self) -> Tick:
        return Tick(self.clock.boot(), self.clock.monotonic())

    def _finish(self, kind: Kind, row: Write, result: Result, outcome: str) -> None:
        now = self.clock.now()
        with self.store.write() as session:
            done = writes.done(session, row.id or 0, result.remote_id)
            kind.done(session, done, result, now)
            self._tell(session, kind, done, result, outcome, now)

    def _tell(self, session: Session, kind: Kind, row: Write, result: Result, outcome: str, now: datetime) -> None:
        """Leave the one event of this write; its cause is the mail that it is for, else the publication as such."""
        publication = session.get_one(Publication, self.publication_id)
        entry = session.get(Entry, row.entry_id) if row.entry_id is not None else None
        events.tell(
            session,
            now,
            kind.kind,
            route=publication.route,
            account_id=self.account_id,
            thread_id=self.thread_id,
            remote_id=result.remote_id,
            version=result.version,
            cause=f"mail {entry.message_id}" if entry is not None else f"/p/{publication.uid}",
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
