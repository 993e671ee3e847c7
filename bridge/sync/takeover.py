"""Who goes on when the one whose turn it is cannot: another follower, with their own tokens and the mail they have.

What is seen by its author alone (a draft) cannot be taken over: the follower makes their own, and the first is told as
left behind. A mail that nobody else has does not stop those behind it for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from bridge.confluence import Kind as ContainerKind
from bridge.model import Message
from bridge.store import accounts, events, followers, follows, grants, publications, writes
from bridge.store.tables import (
    Entry,
    EntryState,
    FollowState,
    GrantState,
    Mailbox,
    Publication,
    PublicationState,
    Write,
    WriteState,
)
from bridge.sync.context import Bridge
from bridge.sync.people import blind_copy, not_there
from bridge.sync.writes.perform import NotYet, Performer
from bridge.sync.writes.publish import Publish

WAITS = timedelta(hours=24)
"""How long those behind wait for a mail whose only mailbox cannot go on; then they pass, and it comes last."""

OWNER_AGAIN = timedelta(minutes=10)
"""When a follower looks again whether another mailbox has written what comes first."""

DRAFTS_LEFT = 5
"""So many drafts of one publication are left behind at most; then it waits for who made the last one."""

NOBODY_SEES = (
    "{writer} began this page and cannot go on, and nobody else can see whether it stands. It waits for their "
    "connection. To publish it as you: mailbridge republish {thread}"
)
"""Told where a publishing request of another person had no answer: a second page might come of going on."""

ENTRY_WAITS = "Waits for its mailbox, which cannot go on now."
ENTRY_PASSED = "Its mailbox cannot go on; what follows it goes on without it."

_MAILBOX_WAITS = "mailbox cannot go on"
_PASSED = "passed over"


@dataclass(frozen=True, slots=True)
class Takeover:
    """Takes over for one mailbox, as its person."""

    bridge: Bridge
    box: Mailbox
    thread_id: str

    def has(self, entry: Entry, message: Message | None) -> bool:
        """Say whether this mailbox may write an entry: it has the mail, and another's not as a blind copy."""
        if message is None or not_there(message, message.date):
            # Its date says nothing any more: it has come once, and the clock may have been set back since.
            return False
        return entry.mailbox_id == self.box.id or not blind_copy(message, self.box.address)

    def take(self, entry: Entry, message: Message) -> None:
        """Have an entry read from this mailbox from now on, since this mailbox writes it."""
        if entry.mailbox_id == self.box.id and entry.reason not in (_MAILBOX_WAITS, _PASSED):
            return
        now = self.bridge.clock.now()
        with self.bridge.store.write() as session:
            row = session.get_one(Entry, entry.id)
            if row.mailbox_id != self.box.id:
                self._tell(session, "entry taken over", cause=f"mailbox {row.mailbox_id}", outcome=row.key)
            row.mailbox_id, row.thread_id, row.message_id = self.box.id or 0, self.thread_id, message.gmail_id
            if row.reason in (_MAILBOX_WAITS, _PASSED):
                row.reason, row.detail, row.since = "", "", now

    def stops(self, entry: Entry) -> datetime | None:
        """Say until when an entry that only another mailbox can write stops those behind it; None where they pass.

        They pass at once where its person took the label off, so that it is not to be published, and after a day where
        its mailbox cannot go on. While that can, it is called.
        """
        now = self.bridge.clock.now()
        with self.bridge.store.write() as session:
            row = session.get_one(Entry, entry.id)
            if row.reason == _PASSED:
                return None
            standing = self._standing(session, row)
            if standing == "able":
                if row.reason == _MAILBOX_WAITS:
                    row.reason, row.detail, row.since = "", "", now
                followers.call_owner(session, row, now)
                return now + OWNER_AGAIN
            if standing == "unable" and row.reason != _MAILBOX_WAITS:
                row.reason, row.since = _MAILBOX_WAITS, now
                row.detail = ENTRY_WAITS
            if standing == "unable" and now - row.since < WAITS:
                return min(row.since + WAITS, now + timedelta(hours=6))
            row.reason, row.since = _PASSED, now
            row.detail = ENTRY_PASSED
            row.ordinal = 1 + max(other.ordinal for other in publications.entries(session, row.publication_id))
            self._tell(session, "entry passed over", cause=standing, outcome=row.key)
            return None

    def draft(self, performer: Performer, publication: Publication, entry: Entry | None) -> Publication:
        """Give up another person's draft, so that this person makes their own; return the publication as it is then.

        Raises:
            NotYet: a request of the first writer may still take effect, or its effect cannot be seen.
            errors.RemoteError: Confluence could not be asked.
        """
        if entry is not None and performer.found_again(_publishing(publication, entry)):
            return self._reread(publication)
        now = self.bridge.clock.now()
        with self.bridge.store.write() as session:
            left = [row for row in writes.of_publication(session, publication.id or 0) if row.kind == "draft"]
            if _unanswered(session, publication) is not None or len(left) > DRAFTS_LEFT:
                self._say(session, publication)
            else:
                self._leave(session, publication)
                return session.get_one(Publication, publication.id)
        raise NotYet(now + timedelta(hours=6))

    def _leave(self, session: Session, publication: Publication) -> None:
        row = session.get_one(Publication, publication.id)
        writes.put_aside(session, row.id or 0, f"draft {row.content_id}")
        publications.drop_attachments(session, row.id or 0)
        self._tell(
            session,
            "draft left behind",
            account_id=row.account_id,
            remote_id=row.content_id,
            cause="its writer cannot go on",
            outcome="a draft stands among its author's drafts",
        )
        row.state, row.account_id, row.tries = PublicationState.PLANNED, self.box.account_id, 0
        row.content_id = row.page_id = row.url = row.title = row.remote = ""

    def _say(self, session: Session, publication: Publication) -> None:
        writer = accounts.by_id(session, publication.account_id)
        session.get_one(Publication, publication.id).remote = "hidden"
        for follow in follows.of_publication(session, publication.id or 0):
            if follow.mailbox_id == self.box.id and follow.state in follows.OPEN:
                if follow.state is not FollowState.NEEDS_SOMEBODY:
                    follow.since = self.bridge.clock.now()
                follow.state, follow.reason = FollowState.NEEDS_SOMEBODY, "person"
                follow.detail = NOBODY_SEES.format(writer=writer.name or writer.address, thread=follow.thread_id)

    def _reread(self, publication: Publication) -> Publication:
        with self.bridge.store.read() as session:
            return session.get_one(Publication, publication.id)

    def _standing(self, session: Session, entry: Entry) -> str:
        """Say how the mailbox of an entry stands: "able", "unable", or "let go" where its person follows no more."""
        box = session.get(Mailbox, entry.mailbox_id)
        mine = [
            follow
            for follow in follows.of_publication(session, entry.publication_id)
            if follow.mailbox_id == entry.mailbox_id and follow.thread_id == entry.thread_id
        ]
        if box is None or not any(follow.state in follows.OPEN for follow in mine):
            return "let go"
        if not connected(session, box.account_id):
            return "unable"
        able = any(follow.state in (FollowState.FOLLOWING, FollowState.HELD) for follow in mine)
        return "able" if able else "unable"

    def _tell(
        self,
        session: Session,
        what: str,
        *,
        cause: str,
        outcome: str,
        account_id: int | None = None,
        remote_id: str = "",
    ) -> None:
        events.tell(
            session,
            self.bridge.clock.now(),
            what,
            account_id=account_id or self.box.account_id,
            thread_id=self.thread_id,
            remote_id=remote_id,
            cause=cause,
            outcome=outcome,
        )


def connected(session: Session, account_id: int) -> bool:
    """Say whether a person can read and write: not paused, and both connections live."""
    held = grants.of_account(session, account_id)
    return not accounts.by_id(session, account_id).paused and all(
        provider in held and held[provider].state is GrantState.LIVE for provider in ("google", "atlassian")
    )


def _unanswered(session: Session, publication: Publication) -> Write | None:
    row = writes.find(session, publication.id or 0, "publish", "content")
    return row if row is not None and row.state is WriteState.SENT else None


def _publishing(publication: Publication, entry: Entry) -> Publish:
    kind: ContainerKind = "blogpost" if publication.kind == "blogpost" else "page"
    return Publish(
        publication_id=publication.id or 0,
        entry_id=entry.id or 0,
        content_kind=kind,
        content_id=publication.content_id,
        title=publication.title,
        storage="",
        message="",
    )


def body_of(entries: list[Entry]) -> Entry | None:
    """Return the entry that is to be a publication's body: the first that is planned."""
    return next((entry for entry in entries if entry.state is EntryState.PLANNED), None)
