"""Writes down what was found of ours in Confluence as rows, as if they had never been lost: published, done, owned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from bridge.model import Message, Thread
from bridge.store import events, grants, marks, publications, writes
from bridge.store.marks import mail_digest
from bridge.store.tables import (
    Entry,
    EntryState,
    Mailbox,
    Mark,
    Publication,
    PublicationState,
    Write,
    WriteState,
)
from bridge.sync.context import Bridge
from bridge.sync.keys import entry_key, publication_uid, write_key
from bridge.sync.situation import Place

FOUND = "found in Confluence"
"""The event where something of ours was taken over that the database did not know."""

_REMOTE = {"trashed": "trashed", "archived": "archived"}


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one mailbox's thread."""

    bridge: Bridge
    box: Mailbox
    thread: Thread

    def make(self, session: Session, mark: Mark, place: Place, audience: str, route: str, now: datetime) -> Publication:
        """Make the publication that a mark shows, with the entries of this thread's messages that stand on it."""
        first = self.thread.messages[0]
        origin = f"{first.key} {self.box.id} {self.thread.thread_id}"
        row = Publication(
            uid=publication_uid(self.bridge.installation, place.destination, audience, origin),
            destination=place.destination,
            audience=audience,
            route=route,
            account_id=self.box.account_id,
            cloud_id=place.cloud_id,
            kind=place.kind,
            space_id=place.space_id,
            space_key=place.space_key,
            parent_id=place.container if place.kind == "page" else "",
            panel_date=first.date,
            created_at=now,
        )
        session.add(row)
        self.settle(session, row, mark)
        body = self._body(row, mark)
        for message in sorted(self.thread.messages, key=lambda m: (m is not body, m.date)):
            found = mark if message is body else self._comment(session, row, message)
            if found is not None:
                self._entry(session, row, message, found, 0 if message is body else None)
        session.flush()
        return row

    def settle(self, session: Session, row: Publication, mark: Mark) -> None:
        """Make a publication what its mark shows: published, by whoever wrote it, with its own uid and markers."""
        now = self.bridge.clock.now()
        if mark.uid and mark.uid != row.uid and publications.by_uid(session, mark.uid) is None:
            row.uid = mark.uid
        author = grants.by_subject(session, "atlassian", mark.author)
        row.account_id = author.account_id if author is not None else row.account_id
        row.state, row.published_at, row.version, row.epoch = PublicationState.PUBLISHED, now, 1, ""
        row.content_id, row.page_id = mark.content_id, mark.page_id
        row.title, row.url, row.remote = mark.title, mark.url, _REMOTE.get(mark.status, "")
        session.flush()
        for write in writes.of_publication(session, row.id or 0):
            if write.state is not WriteState.DONE:
                write.state = WriteState.GIVEN_UP  # it is answered by what stands there
        self._finished(session, row, mark)
        for entry in publications.entries(session, row.id or 0):
            if entry.state is EntryState.PLANNED:
                entry.key = entry_key(self.bridge.installation, row.uid, entry.message_key)
        self._tell(session, row, mark)

    def _finished(self, session: Session, row: Publication, mark: Mark) -> None:
        """Keep that what follows a page's publication was done: the property is the last of it."""
        if not mark.uid or writes.find(session, row.id or 0, "origin property", "content") is not None:
            return
        session.add(
            Write(
                publication_id=row.id or 0,
                kind="origin property",
                target="content",
                account_id=row.account_id,
                key=write_key(self.bridge.installation, row.uid, "origin property", "content"),
                state=WriteState.DONE,
                remote_id=mark.content_id,
            )
        )

    def known_to_stand(self, session: Session, row: Publication, entries: Sequence[Entry]) -> None:
        """Mark the entries as done that stand on the page by what was found there."""
        mails = {message.key: mail_digest(message.message_id) for message in self.thread.messages}
        for mark in marks.on_page(session, row.cloud_id, row.page_id):
            if row.kind == "comment" and row.content_id not in (mark.content_id, mark.parent_id):
                continue
            for entry in entries:
                same = entry.key == mark.key or (mark.mail and mails.get(entry.message_key, "") == mark.mail)
                if entry.state in (EntryState.PLANNED, EntryState.HELD) and same:
                    self._done(session, entry, mark)
                    break

    def _comment(self, session: Session, row: Publication, message: Message) -> Mark | None:
        """Return the mark of a message's comment on a page."""
        key, mail = entry_key(self.bridge.installation, row.uid, message.key), mail_digest(message.message_id)
        for mark in marks.on_page(session, row.cloud_id, row.page_id):
            below = mark.parent_id == row.content_id if row.kind == "comment" else mark.kind == "comment"
            if below and (mark.key == key or (mail and mark.mail == mail)):
                return mark
        return None

    def _body(self, row: Publication, mark: Mark) -> Message | None:
        """Return the message that a body was made from; None where this thread lacks it."""
        for message in self.thread.messages:
            same = mark.mail and mark.mail == mail_digest(message.message_id)
            if same or mark.key == entry_key(self.bridge.installation, row.uid, message.key):
                return message
        return None

    def _entry(self, session: Session, row: Publication, message: Message, mark: Mark, ordinal: int | None) -> None:
        standing = publications.entries(session, row.id or 0)
        entry = Entry(
            publication_id=row.id or 0,
            message_key=message.key,
            ordinal=1 + max((other.ordinal for other in standing), default=0) if ordinal is None else ordinal,
            kind="body" if ordinal == 0 else "comment",
            mailbox_id=self.box.id or 0,
            thread_id=self.thread.thread_id,
            message_id=message.gmail_id,
            sent_on=message.date,
            since=self.bridge.clock.now(),
        )
        session.add(entry)
        self._done(session, entry, mark)
        owned = publications.owners(session, row.destination, row.audience, [message.key])
        if not owned and not message.key.startswith("weak:"):
            publications.claim(session, row, message.key)
        session.flush()

    def _done(self, session: Session, entry: Entry, mark: Mark) -> None:
        author = grants.by_subject(session, "atlassian", mark.author)
        entry.state, entry.since = EntryState.DONE, self.bridge.clock.now()
        entry.key, entry.remote_id = mark.key, mark.content_id
        entry.reason = entry.detail = entry.question = ""
        entry.account_id = author.account_id if author is not None else None

    def _tell(self, session: Session, row: Publication, mark: Mark) -> None:
        events.tell(
            session,
            self.bridge.clock.now(),
            FOUND,
            route=row.route,
            account_id=self.box.account_id,
            thread_id=self.thread.thread_id,
            remote_id=mark.content_id,
            cause="the database did not know it",
            outcome=row.remote or "published",
        )
