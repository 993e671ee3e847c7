"""How much may be asked of one site at once, for all workers of this process together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bridge.clock import Clock
from bridge.errors import PauseScope, RateLimited

AT_ONCE = 5
"""Requests that may be under way at one site."""

_LONGEST_PAUSE = 3600.0
_FIRST_PAUSE = 5.0


class SiteBudget:
    """At most five requests at once; after a rate limit none until the pause is over.

    A pause is not slept through: whoever comes in it gets ``RateLimited`` with the rest of the time, so that a worker
    goes on with something else. Where the provider named no time, pauses double from 5 s to an hour, until the site has
    gone on without one for as long as the last one was.
    """

    def __init__(self, clock: Clock, at_once: int = AT_ONCE) -> None:
        self._clock = clock
        self._places = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._until = 0.0
        self._last_pause = 0.0
        self._scope: PauseScope = "site"

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Give a place for one request.

        Raises:
            RateLimited: the site asked for a pause that is not over; ``retry_after`` is what is left of it.
        """
        self._refuse_in_pause()
        with self._places:
            self._refuse_in_pause()
            yield

    def paused(self, seconds: float | None, scope: PauseScope) -> None:
        """Take note of a pause; without a length it is twice the last one."""
        with self._lock:
            now = self._clock.monotonic()
            last = self._last_pause if now - self._until <= self._last_pause else 0.0
            own = min(max(_FIRST_PAUSE, 2 * last), _LONGEST_PAUSE)
            length = min(own if seconds is None else max(seconds, 0.0), _LONGEST_PAUSE)
            self._last_pause = length
            self._scope = scope
            self._until = max(self._until, now + length)

    def left(self) -> float:
        """Return how many seconds of a pause are left, 0 for none."""
        with self._lock:
            return max(0.0, self._until - self._clock.monotonic())

    def _refuse_in_pause(self) -> None:
        left = self.left()
        if left > 0:
            raise RateLimited(
                "Confluence asked for a pause; writing goes on after it.",
                provider="atlassian",
                retry_after=left,
                scope=self._scope,
            )


class Budgets:
    """One budget a site, made when it is first asked for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sites: dict[str, SiteBudget] = {}

    def of(self, cloud_id: str) -> SiteBudget:
        """Return the budget of a site."""
        with self._lock:
            return self._sites.setdefault(cloud_id, SiteBudget(self._clock))
