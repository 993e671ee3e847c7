"""Clock and randomness as values, so that a test or a simulation can hold both in its hand.

This is the one file that may import ``time``, ``random`` and ``secrets`` (a linter rule).
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Return the instant, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards, from an arbitrary start."""
        ...

    def boot(self) -> str:
        """Name what ``monotonic`` counts from, alike in all processes that share it; '' where it is this process's."""
        ...

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until the event is set or the seconds are over; return whether it is set."""
        ...


_BOOT = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the instant, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    def boot(self) -> str:
        """Return Linux's id of this running of the machine: all its processes share one monotonic clock."""
        try:
            return _BOOT.read_text().strip()
        except OSError:
            return ""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until the event is set or the seconds are over; return whether it is set."""
        return event.wait(seconds)


class VirtualClock:
    """A clock that moves only when told to; waiting moves it."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._monotonic = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the instant, aware, UTC."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds that were waited or advanced so far."""
        return self._monotonic

    def boot(self) -> str:
        """Return one name for ever: a virtual machine is never turned off."""
        return "virtual"

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Advance by the seconds unless the event is set; return whether it is set."""
        if not event.is_set():
            self.advance(seconds)
        return event.is_set()

    def advance(self, seconds: float) -> None:
        """Move both the instant and the monotonic time on."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
            self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back without any monotonic time passing, as an operator's ``date -s`` would."""
        with self._lock:
            self._now += timedelta(seconds=seconds)


class Chance(Protocol):
    """Where randomness comes from."""

    def uniform(self, low: float, high: float) -> float:
        """Return a number between the two, for jitter."""
        ...

    def token(self, size: int) -> str:
        """Return a URL-safe text made from ``size`` random bytes."""
        ...


class SystemChance:
    """Randomness fit for secrets."""

    def uniform(self, low: float, high: float) -> float:
        """Return a number between the two."""
        return random.uniform(low, high)

    def token(self, size: int) -> str:
        """Return a URL-safe text made from ``size`` random bytes."""
        return secrets.token_urlsafe(size)


class SeededChance:
    """Randomness that a seed repeats; for tests and simulations, never for secrets of a real installation."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def uniform(self, low: float, high: float) -> float:
        """Return a number between the two."""
        return self._random.uniform(low, high)

    def token(self, size: int) -> str:
        """Return hexadecimal text of ``size`` bytes."""
        return self._random.randbytes(size).hex()
