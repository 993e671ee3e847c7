"""Publish: brings one publication up to its entries, strictly in their order, under its lease.

The first entry that is neither done nor given up nor held stops those behind it. What a failure means is decided in
``bridge.sync.failures``; here it is written down, for the person whose move it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.config import Route, Settings
from bridge.confluence import Confluence
from bridge.errors import NeedsConsent, OperatorMustAct, PersonMustAct, RemoteError
from bridge.gmail import Gmail
from bridge.model import Message, Thread
from bridge.store import events, follows, publications
from bridge.store.tables import (
    Entry,
    EntryState,
    Follow,
    FollowState,
    Grant,
    Mailbox,
    Publication,
    PublicationState,
)
from bridge.sync.body import BodyWriter
from bridge.sync.context import Bridge
from bridge.sync.failures import Reaction, reaction
from bridge.sync.gather import writer_able
from bridge.sync.people import not_there
from bridge.sync.probe import probed
from bridge.sync.replies import ReplyWriter
from bridge.sync.writes.perform import LEASE_TAKEN, NotYet, Performer


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes for one mailbox, as its person."""

    bridge: Bridge
    settings: Settings
    box: Mailbox
    grant: Grant
    gmail: Gmail
    client: Confluence

    def publish(self, publication_id: int, route: Route, thread: Thread) -> datetime | None:
        """Write what is missing.

        Returns:
            When to try again, or None where all is done or waits for a person.

        Raises:
            NeedsConsent, OperatorMustAct: what holds for every publication of this person; it is written down here too.
            errors.RemoteError: Gmail failed, which says nothing of the publication.
        """
        now = self.bridge.clock.now()
        with self.bridge.store.write() as session:
            if not publications.lease(session, publication_id, owner=self._owner, now=now):
                return now + LEASE_TAKEN
        try:
            return self._entries(publication_id, route, thread)
        except NotYet as wait:
            return wait.until
        except RemoteError as error:
            if error.provider == "google":
                raise
            error = probed(error, self.client)
            again = self._failed(publication_id, thread, error)
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
        begun = publication.state is PublicationState.DRAFTED
        if publication.account_id != self.box.account_id and not publication.published_at and (able or begun):
            # Who claimed the mail stands as the page's author, and nobody else sees their draft.
            return self.bridge.clock.now() + timedelta(seconds=2 * self.settings.gmail.poll_idle)
        performer = self._performer(publication, thread)
        by_key = {message.key: message for message in thread.messages}
        earlier: list[Message] = []
        for entry in entries:
            message = by_key.get(entry.message_key)
            if entry.state in (EntryState.DONE, EntryState.REMOVED):
                earlier += [message] if message else []
                continue
            if entry.state in (EntryState.HELD, EntryState.GIVEN_UP):
                continue
            if message is None or not_there(message, self.bridge.clock.now()):
                if entry.mailbox_id != self.box.id:
                    return None
                self._give_up(entry, thread)
                continue
            if self.bridge.ending():
                return self.bridge.clock.now()
            publication = self._write(performer, publication, entry, message, earlier, route)
            earlier.append(message)
        self._finish(performer, publication, entries, route)
        self._succeeded(publication)
        return None

    def _finish(self, performer: Performer, publication: Publication, entries: Sequence[Entry], route: Route) -> None:
        """Do what follows a page's publication, where an earlier attempt ended in between."""
        body = next((entry for entry in entries if entry.state is EntryState.DONE), None)
        mine = publication.account_id == self.box.account_id
        if mine and body is not None and publication.kind != "comment":
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

    def _performer(self, publication: Publication, thread: Thread) -> Performer:
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
        )

    def _give_up(self, entry: Entry, thread: Thread) -> None:
        now = self.bridge.clock.now()
        with self.bridge.store.write() as session:
            row = session.get_one(Entry, entry.id)
            row.state, row.since = EntryState.GIVEN_UP, now
            row.reason, row.detail = "gone", "The mail was taken out of Gmail before it was published."
            events.tell(session, now, "entry given up", thread_id=thread.thread_id, cause="gone from Gmail")

    def _succeeded(self, publication: Publication) -> None:
        with self.bridge.store.write() as session:
            row = session.get_one(Publication, publication.id)
            row.tries, row.reason, row.detail, row.next_try_at = 0, "", "", None
            for follow in self._mine(follows.of_publication(session, row.id or 0)):
                if follow.state is FollowState.NEEDS_SOMEBODY:
                    follow.state, follow.reason, follow.detail = FollowState.FOLLOWING, "", ""
                    follow.since, follow.tries = self.bridge.clock.now(), 0

    def _failed(self, publication_id: int, thread: Thread, error: RemoteError) -> datetime | None:
        """Write down what a failure means; return when to try again by itself."""
        now = self.bridge.clock.now()
        with self.bridge.store.write() as session:
            row = session.get_one(Publication, publication_id)
            row.tries += 1
            meaning = reaction(error, now=now, tries=row.tries, chance=self.bridge.chance)
            meaning = self._said(row, error, meaning)
            row.reason, row.detail, row.next_try_at = meaning.cause, meaning.detail, meaning.again_at
            if meaning.move in ("person", "nobody", "consent"):
                for follow in self._mine(follows.of_publication(session, publication_id)):
                    if follow.state is not FollowState.NEEDS_SOMEBODY:
                        follow.since = now
                    follow.state, follow.reason = FollowState.NEEDS_SOMEBODY, meaning.move
                    follow.detail = meaning.detail
                    follow.tries, follow.next_try_at = follow.tries + 1, meaning.again_at
            events.tell(
                session,
                now,
                "write failed",
                route=row.route,
                account_id=self.box.account_id,
                thread_id=thread.thread_id,
                cause=meaning.cause,
                outcome=meaning.move,
            )
        return meaning.again_at

    def _mine(self, listed: Sequence[Follow]) -> list[Follow]:
        return [f for f in listed if f.mailbox_id == self.box.id and f.state in follows.OPEN]

    def _said(self, row: Publication, error: RemoteError, meaning: Reaction) -> Reaction:
        """Put a person's move into words that name the place."""
        if meaning.move != "person" or not isinstance(error, PersonMustAct):
            return meaning
        if row.state is PublicationState.PUBLISHED:
            detail = "You no longer have access to the page, or it was removed. Ask for access, then try again."
        elif error.answer.status in (403, 404) and row.kind != "comment":
            detail = (
                f"You may not add pages in space {row.space_key} (or the parent page is gone). "
                "Ask an admin of the space for that permission, or have the route changed."
            )
        else:
            detail = meaning.detail
        return replace(meaning, detail=detail)
