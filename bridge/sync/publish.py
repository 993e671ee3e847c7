"""Publish: brings one publication up to its entries, strictly in their order, under its lease.

The first entry that is neither done nor given up nor held stops those behind it. What a failure means is decided in
``bridge.sync.failures``; here it is written down, for the person whose move it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.config import Route, Settings
from bridge.confluence import Confluence
from bridge.errors import NeedsConsent, OperatorMustAct, RemoteError
from bridge.gmail import Gmail
from bridge.model import Message, Thread
from bridge.store import events, publications
from bridge.store.tables import (
    Entry,
    EntryState,
    Grant,
    Mailbox,
    Publication,
    PublicationState,
)
from bridge.sync.adopt import Adopter
from bridge.sync.body import BodyWriter
from bridge.sync.context import Bridge
from bridge.sync.gather import writer_able
from bridge.sync.probe import probed
from bridge.sync.replies import ReplyWriter
from bridge.sync.setbacks import Setbacks
from bridge.sync.takeover import Takeover, body_of
from bridge.sync.writes.perform import LEASE_TAKEN, NotYet, Performer


def _nothing() -> None:
    """Do nothing."""


_GONE = "gone"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes for one mailbox, as its person."""

    bridge: Bridge
    settings: Settings
    box: Mailbox
    grant: Grant
    gmail: Gmail
    client: Confluence
    progressed: Callable[[], None] = _nothing
    """Called when an entry was written."""

    def publish(self, publication_id: int, route: Route, thread: Thread) -> datetime | None:
        """Write what is missing.

        Returns:
            When to try again, or None where all is done or waits for a person.

        Raises:
            NeedsConsent, OperatorMustAct: what holds for every publication of this person; it is written down here too.
            errors.RemoteError: Gmail failed, which says nothing of the publication.
        """
        now = self.bridge.clock.now()
        if self.settings.safety.mode == "observe":
            return None
        with self.bridge.store.write() as session:
            if not publications.lease(session, publication_id, owner=self._owner, now=now):
                return now + LEASE_TAKEN
        try:
            again = self._entries(publication_id, route, thread)
            self.bridge.outages.worked("atlassian")
            return again
        except NotYet as wait:
            return wait.until
        except RemoteError as error:
            if error.provider == "google":
                raise
            error = probed(error, self.client)
            self.bridge.outages.failed(error, self.client.current_user)
            again = self._setbacks(thread).failed(publication_id, error)
            if isinstance(error, (NeedsConsent, OperatorMustAct)):
                raise error from None
            return again
        finally:
            with self.bridge.store.write() as session:
                publications.release(session, publication_id, owner=self._owner)

    @property
    def _owner(self) -> str:
        return f"{self.box.lease or 'sync'}/{self.box.id}"

    def _entries(self, publication_id: int, route: Route, thread: Thread) -> datetime | None:
        with self.bridge.store.read() as session:
            publication = session.get_one(Publication, publication_id)
            entries = publications.entries(session, publication_id)
            able = writer_able(session, publication)
        publication, entries = Adopter(self.bridge, self.box, self.client, thread).caught_up(publication, entries)
        setbacks, takeover = self._setbacks(thread), Takeover(self.bridge, self.box, thread.thread_id)
        waiting = setbacks.away(publication)
        if waiting is not None:
            return waiting.until
        performer = self._performer(publication, thread, route)
        if publication.account_id != self.box.account_id and not publication.published_at:
            # Who claimed the mail stands as the page's author, and nobody else sees their draft.
            if able:
                return self.bridge.clock.now() + timedelta(seconds=2 * self.settings.gmail.poll_idle)
            if publication.state is PublicationState.DRAFTED:
                publication = takeover.draft(performer, publication, body_of(entries))
                with self.bridge.store.read() as session:
                    entries = publications.entries(session, publication_id)
        by_key = {message.key: message for message in thread.messages}
        entries = self._back_again(entries, by_key, takeover)
        earlier: list[Message] = []
        for entry in entries:
            message = by_key.get(entry.message_key)
            if entry.state in (EntryState.DONE, EntryState.REMOVED):
                earlier += [message] if message else []
                continue
            if entry.state in (EntryState.HELD, EntryState.GIVEN_UP):
                continue
            if message is None or not takeover.has(entry, message):
                if entry.mailbox_id == self.box.id:
                    self._give_up(entry, thread)
                elif (until := takeover.stops(entry)) is not None:
                    return until
                continue
            if self.bridge.ending():
                return self.bridge.clock.now()
            takeover.take(entry, message)
            publication = self._write(performer, publication, entry, message, earlier, route)
            earlier.append(message)
            self.progressed()
        if publication.account_id == self.box.account_id or not able:
            self._finish(performer, publication, entries, route)
        setbacks.succeeded(publication_id)
        return None

    def _setbacks(self, thread: Thread) -> Setbacks:
        return Setbacks(self.bridge, self.box, self.client, thread.thread_id)

    def _finish(self, performer: Performer, publication: Publication, entries: Sequence[Entry], route: Route) -> None:
        """Do what follows a page's publication, where an earlier attempt ended in between."""
        body = next((entry for entry in entries if entry.state is EntryState.DONE), None)
        if body is not None and publication.kind != "comment":
            self._body_writer(performer, publication, route).finish(publication, body)

    def _body_writer(self, performer: Performer, publication: Publication, route: Route) -> BodyWriter:
        return BodyWriter(self.bridge, self.settings, self.grant, self.gmail, performer, publication, route)

    def _write(
        self,
        performer: Performer,
        publication: Publication,
        entry: Entry,
        message: Message,
        earlier: Sequence[Message],
        route: Route,
    ) -> Publication:
        """Write one entry; return the publication as it stands after it."""
        if publication.kind != "comment" and publication.state is not PublicationState.PUBLISHED:
            self._body_writer(performer, publication, route).write(entry, message)
        else:
            ReplyWriter(self.bridge, self.settings, self.grant, self.gmail, performer, publication, route).write(
                entry, message, earlier
            )
        with self.bridge.store.read() as session:
            return session.get_one(Publication, publication.id)

    def _performer(self, publication: Publication, thread: Thread, route: Route) -> Performer:
        return Performer(
            store=self.bridge.store,
            clock=self.bridge.clock,
            client=self.client,
            account_id=self.box.account_id,
            publication_id=publication.id or 0,
            installation=self.bridge.installation,
            publication_uid=publication.uid,
            thread_id=thread.thread_id,
            owner=self._owner,
            route=route.name,
        )

    def _back_again(self, entries: list[Entry], by_key: Mapping[str, Message], takeover: Takeover) -> list[Entry]:
        """Plan anew what was given up as gone and is there again; it comes last, its date says when it was written."""
        back = [
            entry
            for entry in entries
            if entry.state is EntryState.GIVEN_UP
            and entry.reason == _GONE
            and takeover.has(entry, by_key.get(entry.message_key))
        ]
        if not back:
            return entries
        last = max(entry.ordinal for entry in entries)
        with self.bridge.store.write() as session:
            for ordinal, entry in enumerate(back, last + 1):
                row = session.get_one(Entry, entry.id)
                row.state, row.reason, row.detail, row.since = EntryState.PLANNED, "", "", self.bridge.clock.now()
                row.ordinal = ordinal if entry.ordinal else 0
            return publications.entries(session, back[0].publication_id)

    def _give_up(self, entry: Entry, thread: Thread) -> None:
        now = self.bridge.clock.now()
        with self.bridge.store.write() as session:
            row = session.get_one(Entry, entry.id)
            row.state, row.since = EntryState.GIVEN_UP, now
            row.reason, row.detail = _GONE, "The mail was taken out of Gmail before it was published."
            events.tell(session, now, "entry given up", thread_id=thread.thread_id, cause="gone from Gmail")
