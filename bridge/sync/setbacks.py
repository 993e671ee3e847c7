"""Writes down, for those whose move it is, why a publication cannot go on, and that it goes on again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from bridge.confluence import Confluence
from bridge.errors import NotFound, PersonMustAct, Refused, RemoteError
from bridge.store import events, followers, follows, publications
from bridge.store.tables import EntryState, Follow, FollowState, Mailbox, Publication, PublicationState
from bridge.sync import fate
from bridge.sync.context import Bridge
from bridge.sync.failures import Reaction, reaction
from bridge.sync.fate import Fate

_MOVES = ("person", "nobody", "consent")
_AWAY = frozenset(fate.REASONS.values())


@dataclass(frozen=True, slots=True)
class Waiting:
    """A publication cannot be written to now; ``until`` is when to look again, None for not by itself."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class Setbacks:
    """Of one mailbox's thread, as its person."""

    bridge: Bridge
    box: Mailbox
    client: Confluence
    thread_id: str

    def away(self, publication: Publication) -> Waiting | None:
        """Look first where people had taken the page away; None where it can be written to (again).

        Raises:
            errors.RemoteError: Confluence could not be asked.
        """
        with self.bridge.store.read() as session:
            mine = self._mine(follows.of_publication(session, publication.id or 0))
        known = publication.remote != "" or any(follow.reason in _AWAY for follow in mine)
        if not known or not (publication.content_id or publication.page_id):
            return None
        if publication.state is PublicationState.DRAFTED and publication.account_id != self.box.account_id:
            return None
        found = fate.look(self.client, publication)
        if found.remote:
            return Waiting(self._hold(publication.id or 0, found))
        self._back(publication.id or 0, found)
        return None

    def failed(self, publication_id: int, error: RemoteError) -> datetime | None:
        """Write down what a failure means; return when to try again by itself, None for not at all."""
        with self.bridge.store.read() as session:
            publication = session.get_one(Publication, publication_id)
        if _may_be_away(publication, error):
            try:
                found = fate.look(self.client, publication)
            except RemoteError as other:
                error = other
            else:
                if found.remote:
                    return self._hold(publication_id, found)
        return self._reacted(publication_id, error)

    def succeeded(self, publication_id: int) -> None:
        """Take back what was said of failures: all that this mailbox has for it is written."""
        with self.bridge.store.write() as session:
            row = session.get_one(Publication, publication_id)
            row.tries, row.reason, row.detail, row.next_try_at = 0, "", "", None
            for follow in self._mine(follows.of_publication(session, publication_id)):
                self._go_on(follow)

    def _hold(self, publication_id: int, found: Fate) -> datetime | None:
        """Let what is to follow wait, and say why: what Confluence showed to everybody, a 404 to this person alone."""
        now = self.bridge.clock.now()
        again: datetime | None = now + fate.LOOK_AGAIN
        with self.bridge.store.write() as session:
            row = session.get_one(Publication, publication_id)
            listed = follows.of_publication(session, publication_id)
            concerned = [follow for follow in listed if found.seen or follow.mailbox_id == self.box.id]
            news = [_set_aside(follow, fate.REASONS[found.remote], now) for follow in concerned if _goes_on(follow)]
            others = any(follow.state is FollowState.FOLLOWING for follow in listed)
            changed = any(news) or (row.remote != found.remote and not others)
            if not others:
                # What one person is not shown, another one may still write to.
                row.remote, row.remote_at = found.remote, now
            _follow_content(row, found)
            for follow in concerned:
                if follow.state is not FollowState.NEEDS_SOMEBODY:
                    continue
                waited = fate.has_waited(follow.since, now)
                follow.detail = fate.sentence(row, found.remote, follow.thread_id, waited=waited)
                follow.next_try_at = None if waited else now + fate.LOOK_AGAIN
                if follow.mailbox_id == self.box.id:
                    again = follow.next_try_at
            row.reason, row.next_try_at = fate.REASONS[found.remote], again
            row.detail = fate.sentence(row, found.remote, self.thread_id, waited=again is None)
            if changed:
                self._tell(session, row, "page away", row.reason)
            if any(news) and not found.seen:
                followers.call(session, publication_id, now, but=self.box.id or 0)
        return again

    def _back(self, publication_id: int, found: Fate) -> None:
        """Go on: it stands where it can be written to; everybody who waited for that is called."""
        now = self.bridge.clock.now()
        with self.bridge.store.write() as session:
            row = session.get_one(Publication, publication_id)
            away = row.remote
            row.remote, row.remote_at = "", now
            _follow_content(row, found)
            for follow in follows.of_publication(session, publication_id):
                theirs = follow.mailbox_id != self.box.id and follow.reason == fate.REASONS["hidden"]
                if follow.reason in _AWAY and not theirs:
                    self._go_on(follow)
            if away:
                self._tell(session, row, "page back", fate.REASONS[away])
                followers.call(session, publication_id, now, but=self.box.id or 0)

    def _reacted(self, publication_id: int, error: RemoteError) -> datetime:
        now = self.bridge.clock.now()
        with self.bridge.store.write() as session:
            row = session.get_one(Publication, publication_id)
            row.tries += 1
            meaning = reaction(error, now=now, tries=row.tries, chance=self.bridge.chance)
            meaning = _said(row, error, meaning)
            row.reason, row.detail, row.next_try_at = meaning.cause, meaning.detail, meaning.again_at
            if meaning.move in _MOVES:
                news = False
                for follow in self._mine(follows.of_publication(session, publication_id)):
                    news = _set_aside(follow, meaning.move, now) or news
                    follow.detail = meaning.detail
                    follow.tries, follow.next_try_at = follow.tries + 1, meaning.again_at
                if news:
                    followers.call(session, publication_id, now, but=self.box.id or 0)
            self._tell(session, row, "write failed", meaning.cause, outcome=meaning.move)
        return meaning.again_at

    def _go_on(self, follow: Follow) -> None:
        if follow.state is FollowState.NEEDS_SOMEBODY:
            follow.state, follow.reason, follow.detail = FollowState.FOLLOWING, "", ""
            follow.since, follow.tries, follow.next_try_at = self.bridge.clock.now(), 0, None

    def _mine(self, listed: Sequence[Follow]) -> list[Follow]:
        return [f for f in listed if f.mailbox_id == self.box.id and f.state in follows.OPEN]

    def _tell(self, session: Session, row: Publication, what: str, cause: str, *, outcome: str = "") -> None:
        waiting = sum(e.state is EntryState.PLANNED for e in publications.entries(session, row.id or 0))
        events.tell(
            session,
            self.bridge.clock.now(),
            what,
            route=row.route,
            account_id=self.box.account_id,
            thread_id=self.thread_id,
            remote_id=row.content_id,
            cause=cause,
            outcome=outcome or f"{waiting} waiting",
        )


def _set_aside(follow: Follow, reason: str, now: datetime) -> bool:
    """Let a follow need somebody; return whether that, or the reason for it, is new."""
    news = follow.state is not FollowState.NEEDS_SOMEBODY or follow.reason != reason
    if news:
        follow.since = now
    follow.state, follow.reason = FollowState.NEEDS_SOMEBODY, reason
    return news


def _may_be_away(publication: Publication, error: RemoteError) -> bool:
    """Say whether a failure may come of what people did to the page; an archived one may be answered by a 400."""
    if publication.state is PublicationState.DRAFTED:
        return isinstance(error, NotFound)
    return publication.state is PublicationState.PUBLISHED and isinstance(error, (PersonMustAct, Refused))


def _goes_on(follow: Follow) -> bool:
    return follow.state in (FollowState.FOLLOWING, FollowState.NEEDS_SOMEBODY)


def _follow_content(row: Publication, found: Fate) -> None:
    """Keep the title and address that people gave a page, as they were read anyway."""
    if found.content is not None and row.kind != "comment" and row.state is PublicationState.PUBLISHED:
        row.title = found.content.title or row.title
        row.url = found.content.url or row.url


def _said(row: Publication, error: RemoteError, meaning: Reaction) -> Reaction:
    """Put a person's move into words that name the place."""
    if meaning.move != "person" or not isinstance(error, PersonMustAct):
        return meaning
    refused = isinstance(error, NotFound) or error.answer.status in (403, 404)
    if row.state is PublicationState.PUBLISHED and refused:
        detail = fate.may_not_write(row)
    elif refused and row.state is not PublicationState.PUBLISHED and row.kind != "comment":
        detail = (
            f"You may not add pages in space {row.space_key} (or the parent page is gone). "
            "Ask an admin of the space for that permission, or have the route changed."
        )
    else:
        detail = meaning.detail
    return replace(meaning, detail=detail)
