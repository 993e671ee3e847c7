"""One look at one touched thread: fetch, plan, publish. The queue's row stays until all of it is done."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import IntegrityError

from bridge.config import Settings
from bridge.confluence import Confluence
from bridge.errors import (
    CredentialRefused,
    NeedsConsent,
    NotFound,
    OperatorMustAct,
    RateLimited,
    RemoteError,
    StoreError,
)
from bridge.gmail import Gmail
from bridge.model import Thread
from bridge.store import events, followers, follows, mailboxes, threads
from bridge.store.tables import FollowState, Grant, Mailbox, TouchedThread
from bridge.sync.apply import Applied, ClaimedMeanwhile, apply
from bridge.sync.context import Bridge
from bridge.sync.detect import look_at_labels, route_labels, sighted
from bridge.sync.evidence import tell_planned, tell_read
from bridge.sync.failures import backoff, reaction
from bridge.sync.gather import situation, with_places
from bridge.sync.observe import observe
from bridge.sync.plan import plan
from bridge.sync.probe import probed
from bridge.sync.publish import Publisher
from bridge.sync.read import read_plainly, read_thread
from bridge.sync.situation import Situation
from bridge.sync.writes.perform import NotYet

log = structlog.get_logger()

STALE_AGAIN = timedelta(seconds=10)
"""How soon a thread is looked at again whose answer was older than what history said."""

_STALE_MOST = 30
_GONE_AT_LAST = 2
_POISONED = 3
_CLAIMED_AGAIN = 3


@dataclass(frozen=True, slots=True)
class ThreadLook:
    """Looks at the threads of one mailbox, for one pass."""

    bridge: Bridge
    box: Mailbox
    gmail: Gmail
    grant: Grant
    client: Confluence

    def look(self, row: TouchedThread, settings: Settings) -> None:
        """Bring everything that this thread becomes up to date, or say in the queue when to look again.

        A fault of this thread alone puts it off and lets the others go on; whatever the mail did to the program, its
        attempt is counted, and the third one takes only its headers.

        Raises:
            NeedsConsent, OperatorMustAct, RateLimited: what holds for the whole mailbox; the row stays due.
        """
        with self.bridge.store.write() as session:
            attempt = threads.begin(session, row.id or 0)
        if attempt is None:
            return
        try:
            self._look(row, settings, attempt)
        except (NeedsConsent, OperatorMustAct):
            self._uncount(row)
            raise
        except NotYet as wait:
            self._later(row, wait.until)
        except CredentialRefused as refused:
            self._refused(row, probed(refused, self.client))
        except RateLimited as limited:
            self._uncount(row)
            if limited.provider == "google":
                raise
            self._later(row, self.bridge.clock.now() + timedelta(seconds=limited.retry_after or 60.0))
        except RemoteError as error:
            self._put_off(row, error)
        except StoreError:
            # The mail did nothing to the program. Where this is refused too, one attempt too many is counted.
            with suppress(StoreError):
                self._uncount(row)
            raise
        except Exception:
            log.exception("thread failed", thread=row.thread_id, attempt=attempt)
            again = backoff(attempt, self.bridge.chance)
            self._later(row, self.bridge.clock.now() + again, tries=attempt)

    def _refused(self, row: TouchedThread, meaning: RemoteError) -> None:
        """Put a thread off whose place was refused; where the connection as such ended, that is said instead."""
        if isinstance(meaning, NeedsConsent):
            self._uncount(row)
            raise meaning
        self._put_off(row, meaning)

    def _put_off(self, row: TouchedThread, error: RemoteError) -> None:
        """Look again when the failure says so; where a person must act, the thread's follows say what they must do."""
        now = self.bridge.clock.now()
        meaning = reaction(error, now=now, tries=row.failures + 1, chance=self.bridge.chance)
        probe = self.gmail.profile if error.provider == "google" else self.client.current_user
        self.bridge.outages.failed(error, probe)
        log.info("thread put off", thread=row.thread_id, cause=error.answer.reason, status=error.answer.status)
        with self.bridge.store.write() as session:
            if meaning.move == "person":
                for follow in follows.of_thread(session, self.box.id or 0, row.thread_id):
                    if follow.state is FollowState.FOLLOWING and follow.publication_id is None:
                        follow.state, follow.reason, follow.since = FollowState.NEEDS_SOMEBODY, meaning.move, now
                        follow.detail = meaning.detail
            threads.later(session, row.id or 0, meaning.again_at, row.generation, failures=row.failures + 1)

    def _look(self, row: TouchedThread, settings: Settings, attempt: int) -> None:
        if row.unsure and not self._has_follow(row) and not self._labelled_now(row, settings):
            self._finish(row)
            return
        try:
            thread = self._read(row, attempt)
        except NotFound:
            self._gone(row)
            return
        with self.bridge.store.write() as session:
            tell_read(session, thread, self.box, self.bridge.clock.now(), plainly=attempt >= _POISONED)
        if thread.history_id < row.history_id and row.failures < _STALE_MOST:
            # Bounded: should Gmail ever leave a thread's own id behind its records, it must not be fetched for ever.
            self._later(row, self.bridge.clock.now() + STALE_AGAIN, failures=row.failures + 1)
            return
        if settings.safety.mode == "observe":
            until = self._observe(thread, settings)
            if until is None:
                self._finish(row)
            else:
                self._later(row, until)
            return
        applied = self._decide(thread, settings)
        if applied is None:
            # Somebody claims its messages each time, or the tables do not fit: it is counted, shown, and comes rarer.
            again_at = self.bridge.clock.now() + max(STALE_AGAIN, backoff(row.failures + 1, self.bridge.chance))
            self._later(row, again_at, failures=row.failures + 1)
            return
        again = [applied.look_again_at] if applied.look_again_at else []
        publisher = Publisher(self.bridge, settings, self.box, self.grant, self.gmail, self.client)
        if attempt == _POISONED - 1:
            publisher = replace(publisher, progressed=lambda: self._count_anew(row))
        for publication_id, route_name in applied.publications:
            route = settings.route(route_name)
            if route is not None:
                until = publisher.publish(publication_id, route, thread)
                again += [until] if until is not None else []
        if again:
            self._later(row, min(again))
        else:
            self._finish(row)

    def _has_follow(self, row: TouchedThread) -> bool:
        with self.bridge.store.read() as session:
            return bool(follows.of_thread(session, self.box.id or 0, row.thread_id))

    def _labelled_now(self, row: TouchedThread, settings: Settings) -> bool:
        """Ask for the labels of a thread whose history record named none; begin a follow where one counts."""
        found = self.gmail.label_ids(row.thread_id)
        with self.bridge.store.read() as session:
            known = {label.gmail_id for label in mailboxes.labels(session, self.box.id or 0) if not label.gone_at}
        if found - known:
            look_at_labels(self.bridge, self.box, self.gmail)
        with self.bridge.store.write() as session:
            box = session.get_one(Mailbox, self.box.id)
            return sighted(session, box, row.thread_id, found, settings, self.bridge.clock.now())

    def _read(self, row: TouchedThread, attempt: int) -> Thread:
        if attempt >= _POISONED:
            return read_plainly(self.gmail, row.thread_id)
        return read_thread(self.gmail, row.thread_id, owner=self.box.address)

    def _decide(self, thread: Thread, settings: Settings) -> Applied | None:
        """Plan, and write the plan down; another mailbox may claim a message in between, then plan again.

        Returns:
            None where that happened three times on end.
        """
        for _ in range(_CLAIMED_AGAIN):
            now = self._labels_sure(situation(self.bridge, self.box, settings, thread), settings)
            now = with_places(self.bridge, now, self.grant, self.client)
            decisions = plan(now)
            try:
                with self.bridge.store.write() as session:
                    tell_planned(session, now, decisions, self.box, self.bridge.clock.now())
                    return apply(
                        session,
                        decisions,
                        thread=thread,
                        box=self.box,
                        now=self.bridge.clock.now(),
                        installation=self.bridge.installation,
                    )
            except (IntegrityError, ClaimedMeanwhile):
                continue
        return None

    def _observe(self, thread: Thread, settings: Settings) -> datetime | None:
        """Plan, and tell what would be written; return when to look again."""
        now = self._labels_sure(situation(self.bridge, self.box, settings, thread), settings)
        now = with_places(self.bridge, now, self.grant, self.client)
        decisions, instant = plan(now), self.bridge.clock.now()
        with self.bridge.store.write() as session:
            tell_planned(session, now, decisions, self.box, instant)
            return observe(
                session,
                decisions,
                thread=thread,
                box=self.box,
                now=instant,
                installation=self.bridge.installation,
                writer=self.grant.name or self.box.address,
            )

    def _labels_sure(self, now: Situation, settings: Settings) -> Situation:
        """Ask for the labels anew before a missing label is taken for one that a person took off."""
        removed = any(
            follow.publication is not None
            and follow.state is not FollowState.STOPPED
            and not self._labelled(now, route)
            for route, follow in now.follows.items()
        )
        if not removed:
            return now
        return replace(now, labels=route_labels(settings, look_at_labels(self.bridge, self.box, self.gmail)))

    def _labelled(self, now: Situation, route: str) -> bool:
        label = now.labels.get(route)
        return any(label in message.label_ids for message in now.thread.messages)

    def _gone(self, row: TouchedThread) -> None:
        """A thread that Gmail does not have (any more): what stands in Confluence stays.

        It is believed the third time: an answer may be from before the thread was there, or simply be wrong.
        """
        now = self.bridge.clock.now()
        if row.failures < _GONE_AT_LAST and self._has_follow(row):
            self._later(row, now + STALE_AGAIN, failures=row.failures + 1)
            return
        with self.bridge.store.write() as session:
            for follow in follows.of_thread(session, self.box.id or 0, row.thread_id):
                if follow.publication_id is None:
                    session.delete(follow)
                    continue
                follow.state, follow.reason, follow.since = FollowState.STOPPED, "gone from Gmail", now
                follow.detail = "Stopped: the thread is not in Gmail any more. What was published stays."
                events.tell(session, now, "follow stopped", thread_id=row.thread_id, cause="gone from Gmail")
                followers.call_if_unfinished(session, follow.publication_id, now, but=self.box.id or 0)
            threads.finish(session, row.id or 0, row.generation)

    def _finish(self, row: TouchedThread) -> None:
        with self.bridge.store.write() as session:
            threads.finish(session, row.id or 0, row.generation)

    def _later(self, row: TouchedThread, due_at: datetime, *, tries: int = 0, failures: int = 0) -> None:
        with self.bridge.store.write() as session:
            threads.later(session, row.id or 0, due_at, row.generation, tries=tries, failures=failures)

    def _count_anew(self, row: TouchedThread) -> None:
        """Let this be the first attempt: it wrote something, so no mail that comes before that ended the last one."""
        with self.bridge.store.write() as session:
            threads.uncount(session, row.id or 0)

    def _uncount(self, row: TouchedThread) -> None:
        with self.bridge.store.write() as session:
            threads.uncount(session, row.id or 0)
