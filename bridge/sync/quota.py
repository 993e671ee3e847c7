"""Gmail's quota of one person, counted here so that Gmail need not refuse."""

from __future__ import annotations

import threading
from collections import deque

from bridge.clock import Clock
from bridge.errors import RateLimited

_WINDOW = 60.0


class QuotaMeter:
    """Counts one mailbox's quota units over the last 60 s; a request that would go over the limit is not sent."""

    def __init__(self, clock: Clock, units_per_minute: int) -> None:
        self._clock = clock
        self._most = units_per_minute
        self._spent: deque[tuple[float, int]] = deque()
        self._sum = 0

    def __call__(self, units: int) -> None:
        """Count a request before it is sent.

        Args:
            units: what it costs.

        Raises:
            RateLimited: the minute is used up; ``retry_after`` says when there is room.
        """
        now = self._clock.monotonic()
        while self._spent and now - self._spent[0][0] >= _WINDOW:
            self._sum -= self._spent.popleft()[1]
        if self._spent and self._sum + units > self._most:
            raise RateLimited(
                "This mailbox has used up its Gmail quota of this minute; it goes on in the next one.",
                provider="google",
                retry_after=_WINDOW - (now - self._spent[0][0]),
                scope="mailbox",
            )
        self._spent.append((now, units))
        self._sum += units


class QuotaMeters:
    """One meter a mailbox, made when it is first asked for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._meters: dict[tuple[int, int], QuotaMeter] = {}

    def of(self, mailbox_id: int, units_per_minute: int) -> QuotaMeter:
        """Return the meter of a mailbox; another limit in the configuration begins another meter."""
        with self._lock:
            key = (mailbox_id, units_per_minute)
            return self._meters.setdefault(key, QuotaMeter(self._clock, units_per_minute))
