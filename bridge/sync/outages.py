"""A provider that does not answer at all, or asks this whole program to rest: one probe at a time, told once.

Three failures in a row, with no success between, look like an outage. A neutral request says then whether it is one,
so that a page or a thread that fails by itself is none. While it lasts nobody asks but one, every five minutes at most;
when that is answered, everything that waited is due.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bridge.clock import Clock
from bridge.errors import Provider, RateLimited, RemoteError, Temporary
from bridge.store import events, mailboxes, pauses, threads
from bridge.store.engine import Store

log = structlog.get_logger()

BEGAN, ENDED = "outage began", "outage ended"
"""The events at the first and the last of an outage."""

LONGEST = timedelta(minutes=5)
"""The longest time between two probes."""

_FIRST = timedelta(seconds=15)
_TOLD = timedelta(minutes=15)
"""How long ``status`` tells of an outage after the last probe: the process that probed may have ended."""
_IN_A_ROW = 3
_PROBING = timedelta(minutes=2)
_NAMES: dict[Provider, str] = {"google": "Google", "atlassian": "Confluence"}

Probe = Callable[[], object]


@dataclass
class _Standing:
    """How one provider does: failures in a row; ``until`` nobody asks; ``step`` is the time between two probes."""

    failures: int = 0
    down: bool = False
    until: datetime | None = None
    step: timedelta = _FIRST


class Outages:
    """What this process knows of both providers; any thread may call it.

    Args:
        store: where an outage is told for ``status`` and ``log``.
        clock: the time.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[Provider, _Standing] = {"google": _Standing(), "atlassian": _Standing()}

    def rests(self, provider: Provider, probe: Probe | None = None) -> datetime | None:
        """Return until when a provider is left alone, None where it may be asked.

        Args:
            provider: who is to be asked.
            probe: a neutral request, sent when the time for one has come; without one the caller's own request is it,
                and its outcome must be told.
        """
        now = self._clock.now()
        with self._lock:
            known = self._known[provider]
            if known.until is None:
                return None
            if now < known.until:
                return known.until
            if not known.down:
                known.until = None
                return None
            known.until = now + _PROBING  # whoever comes meanwhile waits for this probe
        if probe is None:
            return None
        if not _fails(probe):
            self.answered(provider)
            return None
        return self._again(provider)

    def failed(self, error: RemoteError, probe: Probe | None = None) -> None:
        """Take note of a failure that may be everybody's.

        Args:
            error: any; one that says nothing of a provider as a whole is passed over.
            probe: a neutral request that tells whether it is.
        """
        if isinstance(error, RateLimited):
            if error.scope == "app" and error.retry_after is not None:
                self._pause(error.provider, error.retry_after)
            return
        if not isinstance(error, Temporary):
            return
        with self._lock:
            known = self._known[error.provider]
            known.failures += 1
            down, suspect = known.down, known.failures >= _IN_A_ROW
        if down:
            self._again(error.provider)
        elif suspect and (probe is None or _fails(probe)):
            self._began(error)
        elif suspect:
            with self._lock:
                self._known[error.provider].failures = 0

    def until(self, provider: Provider) -> datetime | None:
        """Return until when a provider is left alone, as ``rests`` does, without becoming its probe."""
        with self._lock:
            until = self._known[provider].until
        return until if until is not None and until > self._clock.now() else None

    def worked(self, provider: Provider) -> None:
        """Take note that something of a provider's was done well; that ends no outage, but the failures in a row."""
        with self._lock:
            self._known[provider].failures = 0

    def answered(self, provider: Provider) -> None:
        """Take note that a provider answers; where it did not before, everything that waited for it is due."""
        with self._lock:
            known = self._known[provider]
            was_down, known.failures = known.down, 0
            if was_down:
                self._known[provider] = _Standing()
        if not was_down:
            return
        now = self._clock.now()
        with self._store.write() as session:
            pauses.lift(session, _scope(provider))
            events.tell(session, now, ENDED, cause=provider)
            mailboxes.all_due(session, now)
            threads.all_due(session, now)
        log.info("service answers again", service=_NAMES[provider])

    def _began(self, error: RemoteError) -> None:
        provider, now = error.provider, self._clock.now()
        with self._lock:
            known = self._known[provider]
            if known.down:
                return
            known.down, known.until, known.step = True, now + _FIRST, _FIRST
        with self._store.write() as session:
            pauses.lift(session, _scope(provider))
            pauses.put(
                session,
                _scope(provider),
                now,
                why=f"{_NAMES[provider]} does not answer; it is asked every few minutes",
                until=now + _TOLD,
            )
            events.tell(session, now, BEGAN, cause=provider, outcome=f"{error.answer.status or 'no answer'}")
        log.warning("service does not answer", service=_NAMES[provider], problem=str(error))

    def _again(self, provider: Provider) -> datetime:
        """Put the next probe off, for longer each time."""
        with self._lock:
            known = self._known[provider]
            known.step = min(2 * known.step, LONGEST)
            known.until = until = self._clock.now() + known.step
        with self._store.write() as session:
            pauses.prolong(session, _scope(provider), until + _TOLD)
        return until

    def _pause(self, provider: Provider, seconds: float) -> None:
        """Leave a provider alone that asks this whole program to rest."""
        now = self._clock.now()
        until = now + timedelta(seconds=seconds)
        with self._lock:
            known = self._known[provider]
            if known.down or (known.until is not None and known.until >= until):
                return
            known.until = until
        scope = f"app:{provider}"
        with self._store.write() as session:
            pauses.lift(session, scope)
            pauses.put(session, scope, now, why=f"{_NAMES[provider]} asks this program to rest", until=until)


def _scope(provider: Provider) -> str:
    return f"provider:{provider}"


def _fails(probe: Probe) -> bool:
    """Say whether a neutral request fails as in an outage; any other answer is one."""
    try:
        probe()
    except RateLimited:
        return False
    except Temporary:
        return True
    except RemoteError:
        return False
    return False
