"""The story of a sync: one mailbox, once. Detect what changed, then look at each thread whose time has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.config import Settings
from bridge.errors import NeedsConsent, OperatorMustAct, PersonMustAct, RateLimited, RemoteError
from bridge.store import events, grants, threads
from bridge.store.mailboxes import Settled
from bridge.store.tables import Grant, GrantState, Mailbox, TouchedThread
from bridge.sync.context import Bridge
from bridge.sync.detect import detect
from bridge.sync.failures import backoff
from bridge.sync.thread import ThreadLook

NEWS = timedelta(minutes=30)
"""How long a mailbox counts as having news after a routed thread of it was touched."""

NOT_READ, READ_AGAIN = "mailbox not read", "mailbox read again"
"""The events at the first failure of a mailbox in a row, and at the first success after it."""

PERSON_AGAIN = timedelta(hours=6)
"""When a mailbox is read again that somebody must first allow to be read; a fault of a service puts it off for less."""

_AT_ONCE = 20
_CONNECT_AGAIN = timedelta(hours=6)
_LOOK_AGAIN = timedelta(minutes=1)
_OPERATOR_AGAIN = timedelta(minutes=5)
_LONGEST_PASS = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Connections:
    """A person's grants, where they live; ``next_thread`` is when the first queued thread's time comes."""

    google: Grant | None
    atlassian: Grant | None
    next_thread: datetime | None


def sync_mailbox(bridge: Bridge, box: Mailbox) -> Settled:
    """Make one pass of a mailbox that is under this worker's lease; never raise for what Google or Atlassian do.

    Returns:
        When the mailbox is due next, and why where it could not be read.
    """
    settings = bridge.settings()
    connections = _connections(bridge, box)
    if connections.google is None:
        return Settled(box.id or 0, bridge.clock.now() + _CONNECT_AGAIN, "Gmail must be connected again.")
    resting = bridge.outages.rests("google")
    if resting is not None:
        return Settled(box.id or 0, resting, box.reason, box.tries)
    try:
        gmail = bridge.gmail(box, connections.google)
        touched = detect(bridge, box, gmail, settings)
        bridge.outages.answered("google")
        waiting = None
        if connections.atlassian is not None:
            waiting = _next_thread(bridge, box) if touched else connections.next_thread
        if connections.atlassian is not None and waiting is not None and waiting <= bridge.clock.now():
            client = bridge.confluence(connections.atlassian)
            resting = _threads(bridge, ThreadLook(bridge, box, gmail, connections.atlassian, client))
            touched, waiting = True, _next_thread(bridge, box)
            waiting = max(waiting, resting) if waiting and resting else waiting
    except RemoteError as error:
        return _failed(bridge, box, connections, error)
    news_at = _news_at(bridge, box) if touched else box.news_at
    return _settled(bridge, box, settings, news_at=news_at, next_thread=waiting)


def _threads(bridge: Bridge, looking: ThreadLook) -> datetime | None:
    """Look at the threads whose time has come, the longest waiting first, a few minutes at most.

    Returns:
        Until when Confluence is left alone, None where it may be asked.
    """
    started = bridge.clock.monotonic()
    box_id = looking.box.id or 0
    seen: set[tuple[int, int]] = set()
    while bridge.clock.monotonic() - started < _LONGEST_PASS.total_seconds():
        rows = [row for row in _due(bridge, box_id) if (row.id or 0, row.generation) not in seen]
        if not rows:
            return None
        for row in rows:
            if bridge.ending():
                return None
            resting = bridge.outages.rests("atlassian", looking.client.current_user)
            if resting is not None:
                return resting
            seen.add((row.id or 0, row.generation))
            looking.look(row, bridge.settings())
    return None


def _due(bridge: Bridge, box_id: int) -> list[TouchedThread]:
    with bridge.store.read() as session:
        return threads.due(session, box_id, bridge.clock.now(), _AT_ONCE)


def _connections(bridge: Bridge, box: Mailbox) -> Connections:
    with bridge.store.read() as session:
        held = grants.of_account(session, box.account_id)
        next_thread = threads.next_due(session, box.id or 0)
    living = {provider: grant for provider, grant in held.items() if grant.state is GrantState.LIVE}
    return Connections(living.get("google"), living.get("atlassian"), next_thread)


def _next_thread(bridge: Bridge, box: Mailbox) -> datetime | None:
    with bridge.store.read() as session:
        return threads.next_due(session, box.id or 0)


def _news_at(bridge: Bridge, box: Mailbox) -> datetime | None:
    with bridge.store.read() as session:
        return session.get_one(Mailbox, box.id).news_at


def _settled(
    bridge: Bridge, box: Mailbox, settings: Settings, *, news_at: datetime | None, next_thread: datetime | None
) -> Settled:
    now = bridge.clock.now()
    if box.reason:
        _tell_turn(bridge, box, READ_AGAIN, "")
    lively = news_at is not None and now - news_at < NEWS
    due_at = now + timedelta(seconds=settings.gmail.poll_every if lively else settings.gmail.poll_idle)
    if next_thread is not None:
        due_at = min(due_at, max(next_thread, now))
    return Settled(box.id or 0, due_at)


def _failed(bridge: Bridge, box: Mailbox, connections: Connections, error: RemoteError) -> Settled:
    """Say when a mailbox that could not be read is due again."""
    now = bridge.clock.now()
    box_id = box.id or 0
    bridge.outages.failed(error)
    if not isinstance(error, NeedsConsent):
        _tell_turn(bridge, box, NOT_READ, f"{error.provider} {error.answer.status or 'no answer'}")
    if isinstance(error, NeedsConsent):
        grant = connections.google if error.provider == "google" else connections.atlassian
        if grant is not None:
            with bridge.store.write() as session:
                if grants.needs_consent(session, grant.id or 0, str(error), now, generation=grant.generation):
                    events.tell(
                        session, now, "connection ended", account_id=box.account_id, cause=error.reason or error.scope
                    )
        # The next look goes by the grants as they stand then: without Confluence it still follows the mailbox, and
        # tokens that came in this pass are tried.
        return Settled(box_id, now + _LOOK_AGAIN, str(error))
    if isinstance(error, OperatorMustAct):
        return Settled(box_id, now + _OPERATOR_AGAIN, str(error))
    if isinstance(error, PersonMustAct):
        return Settled(box_id, now + PERSON_AGAIN, str(error))
    if isinstance(error, RateLimited) and error.retry_after is not None:
        return Settled(box_id, now + timedelta(seconds=error.retry_after), str(error), box.tries)
    again = bridge.outages.until(error.provider) or now + backoff(box.tries + 1, bridge.chance)
    return Settled(box_id, again, str(error), box.tries + 1)


def _tell_turn(bridge: Bridge, box: Mailbox, what: str, cause: str) -> None:
    """Tell once that a mailbox cannot be read, and once that it can be again."""
    if what == NOT_READ and box.reason:
        return
    with bridge.store.write() as session:
        failed = events.last(session, NOT_READ, account_id=box.account_id)
        read = events.last(session, READ_AGAIN, account_id=box.account_id)
        is_failing = failed is not None and (read is None or (read.id or 0) < (failed.id or 0))
        if is_failing != (what == NOT_READ):
            events.tell(session, bridge.clock.now(), what, account_id=box.account_id, cause=cause)
