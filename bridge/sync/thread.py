"""One look at one touched thread: fetch, plan, publish. The queue's row stays until all of it is done."""

from __future__ import annotations

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
from bridge.store import events, follows, threads
from bridge.store.tables import FollowState, Grant, Mailbox, TouchedThread
from bridge.sync.apply import Applied, ClaimedMeanwhile, apply
from bridge.sync.context import Bridge
from bridge.sync.detect import look_at_labels, route_labels, sighted
from bridge.sync.failures import backoff, reaction
from bridge.sync.gather import situation, with_places
from bridge.sync.plan import plan
from bridge.sync.probe import probed
from bridge.sync.publish import Publisher
from bridge.sync.read import read_plainly, read_thread
from bridge.sync.situation import Situation

log = structlog.get_logger()

STALE_AGAIN = timedelta(seconds=10)
"""How soon a thread is looked at again whose answer was older than what history said."""

_STALE_MOST = 30
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
        try:
            self._look(row, settings, attempt)
        except (NeedsConsent, OperatorMustAct):
            self._uncount(row)
            raise
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
        if thread.history_id < row.history_id and row.failures < _STALE_MOST:
            # Bounded: should Gmail ever leave a thread's own id behind its records, it must not be fetched for ever.
            self._later(row, self.bridge.clock.now() + STALE_AGAIN, failures=row.failures + 1)
            return
        applied = self._decide(thread, settings)
        again = [applied.look_again_at] if applied.look_again_at else []
        publisher = Publisher(self.bridge, settings, self.box, self.grant, self.gmail, self.client)
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
        with self.bridge.store.write() as session:
            box = session.get_one(Mailbox, self.box.id)
            return sighted(session, box, row.thread_id, found, settings, self.bridge.clock.now())

    def _read(self, row: TouchedThread, attempt: int) -> Thread:
        if attempt >= _POISONED:
            return read_plainly(self.gmail, row.thread_id)
        return read_thread(self.gmail, row.thread_id, owner=self.box.address)

    def _decide(self, thread: Thread, settings: Settings) -> Applied:
        """Plan, and write the plan down; another mailbox may claim a message in between, then plan again."""
        for _ in range(_CLAIMED_AGAIN):
            now = self._labels_sure(situation(self.bridge, self.box, settings, thread), settings)
            decisions = plan(with_places(self.bridge, now, self.grant, self.client))
            try:
                with self.bridge.store.write() as session:
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
        return Applied((), self.bridge.clock.now() + STALE_AGAIN)

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
        """A thread that Gmail does not have (any more): what stands in Confluence stays."""
        now = self.bridge.clock.now()
        with self.bridge.store.write() as session:
            for follow in follows.of_thread(session, self.box.id or 0, row.thread_id):
                if now - follow.labelled_at < STALE_AGAIN:
                    threads.later(session, row.id or 0, now + STALE_AGAIN, row.generation)
                    return
                if follow.publication_id is None:
                    session.delete(follow)
                    continue
                follow.state, follow.reason, follow.since = FollowState.STOPPED, "gone from Gmail", now
                follow.detail = "Stopped: the thread is not in Gmail any more. What was published stays."
                events.tell(session, now, "follow stopped", thread_id=row.thread_id, cause="gone from Gmail")
            threads.finish(session, row.id or 0, row.generation)

    def _finish(self, row: TouchedThread) -> None:
        with self.bridge.store.write() as session:
            threads.finish(session, row.id or 0, row.generation)

    def _later(self, row: TouchedThread, due_at: datetime, *, tries: int = 0, failures: int = 0) -> None:
        with self.bridge.store.write() as session:
            threads.later(session, row.id or 0, due_at, row.generation, tries=tries, failures=failures)

    def _uncount(self, row: TouchedThread) -> None:
        with self.bridge.store.write() as session:
            threads.uncount(session, row.id or 0)
