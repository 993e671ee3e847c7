"""How much may be asked of one site at once, and whose pause is whose, for all workers of this process together."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bridge.clock import Clock
from bridge.errors import PauseScope, RateLimited

AT_ONCE = 5
"""Requests that may be under way at one site."""

_LONGEST_PAUSE = 3600.0
_FIRST_PAUSE = 5.0


class Rest:
    """Until when something is left alone.

    Where the provider named no time, pauses double from 5 s to an hour, until it has gone on without one for as long as
    the last one was.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until = 0.0
        self._last = 0.0

    def begin(self, seconds: float | None) -> None:
        """Take note of a pause; without a length it is twice the last one."""
        with self._lock:
            now = self._clock.monotonic()
            last = self._last if now - self._until <= self._last else 0.0
            own = min(max(_FIRST_PAUSE, 2 * last), _LONGEST_PAUSE)
            length = min(own if seconds is None else max(seconds, 0.0), _LONGEST_PAUSE)
            self._last = length
            self._until = max(self._until, now + length)

    def left(self) -> float:
        """Return how many seconds of a pause are left, 0 for none."""
        with self._lock:
            return max(0.0, self._until - self._clock.monotonic())


class SiteBudget:
    """One person's share of a site: at most five requests of everybody's at once, and none in a pause.

    A pause holds for whom the provider named: this person, everybody at the site, or the whole program. It is not slept
    through: whoever comes in it gets ``RateLimited`` with the rest of the time, so that a worker goes on with something
    else.

    Args:
        clock: the time.
        at_once: how many requests may be under way.
        places: the site's, where several share them.
        rests: the pauses by scope, likewise.
    """

    def __init__(
        self,
        clock: Clock,
        at_once: int = AT_ONCE,
        *,
        places: threading.BoundedSemaphore | None = None,
        rests: Mapping[PauseScope, Rest] | None = None,
    ) -> None:
        own = Rest(clock)
        self._places = places or threading.BoundedSemaphore(at_once)
        self._rests: Mapping[PauseScope, Rest] = rests or {"person": own, "site": own, "app": own}

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Give a place for one request.

        Raises:
            RateLimited: a pause is not over; ``retry_after`` is what is left of it, ``scope`` whose it is.
        """
        self._refuse_in_pause()
        with self._places:
            self._refuse_in_pause()
            yield

    def paused(self, seconds: float | None, scope: PauseScope) -> None:
        """Take note of a pause; without a length it is twice the last one of that scope."""
        self._rests.get(scope, self._rests["site"]).begin(seconds)

    def left(self) -> float:
        """Return how many seconds of the longest pause are left, 0 for none."""
        return max(rest.left() for rest in self._rests.values())

    def _refuse_in_pause(self) -> None:
        left, scope = max((rest.left(), scope) for scope, rest in self._rests.items())
        if left > 0:
            raise RateLimited(
                "Confluence asked for a pause; writing goes on after it.",
                provider="atlassian",
                retry_after=left,
                scope=scope,
            )


class Budgets:
    """One budget a person and site, made when it is first asked for; a site's five places are everybody's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._app = Rest(clock)
        self._sites: dict[str, tuple[threading.BoundedSemaphore, Rest]] = {}
        self._budgets: dict[tuple[str, int], SiteBudget] = {}

    def of(self, cloud_id: str, grant_id: int = 0) -> SiteBudget:
        """Return the budget of a person's grant at a site."""
        with self._lock:
            places, site = self._sites.setdefault(cloud_id, (threading.BoundedSemaphore(AT_ONCE), Rest(self._clock)))
            rests: dict[PauseScope, Rest] = {"person": Rest(self._clock), "site": site, "app": self._app}
            return self._budgets.setdefault((cloud_id, grant_id), SiteBudget(self._clock, places=places, rests=rests))
