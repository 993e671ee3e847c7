"""Google's count of what each person's calls cost, in quota units a minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

UNITS: Mapping[str, int] = MappingProxyType(
    {
        "gmail.users.getProfile": 1,
        "gmail.users.labels.list": 1,
        "gmail.users.labels.get": 1,
        "gmail.users.labels.create": 5,
        "gmail.users.labels.patch": 5,
        "gmail.users.labels.update": 5,
        "gmail.users.labels.delete": 5,
        "gmail.users.threads.list": 10,
        "gmail.users.threads.get": 40,
        "gmail.users.threads.modify": 10,
        "gmail.users.messages.get": 20,
        "gmail.users.messages.list": 5,
        "gmail.users.messages.modify": 5,
        "gmail.users.messages.attachments.get": 20,
        "gmail.users.history.list": 2,
        "gmail.users.watch": 100,
        "gmail.users.stop": 50,
    }
)
"""The table of projects made since May 2026, with 6,000 units a person and minute."""

OLDER_UNITS: Mapping[str, int] = MappingProxyType(
    {
        **UNITS,
        "gmail.users.threads.get": 10,
        "gmail.users.messages.get": 5,
        "gmail.users.messages.attachments.get": 5,
    }
)
"""The table of older projects, with 15,000 units a person and minute."""

_MINUTE = timedelta(minutes=1)


class Quota:
    """The meter; ``limit`` is in units a person and minute, None: counts but never refuses. ``refused`` counts."""

    def __init__(self, units: Mapping[str, int] = UNITS, limit: int | None = 6000) -> None:
        self.units = units
        self.limit = limit
        self.used: dict[str, int] = {}
        self.refused = 0
        self._lately: dict[str, deque[tuple[datetime, int]]] = {}

    def take(self, person: str, operation: str, now: datetime) -> bool:
        """Count one call; return false, with nothing counted, where it would go over the limit."""
        cost = self.units[operation]
        if self.limit is not None and self.this_minute(person, now) + cost > self.limit:
            self.refused += 1
            return False
        self._lately.setdefault(person, deque()).append((now, cost))
        self.used[person] = self.used.get(person, 0) + cost
        return True

    def this_minute(self, person: str, now: datetime) -> int:
        """Return the units of the last 60 seconds."""
        lately = self._lately.setdefault(person, deque())
        while lately and now - lately[0][0] >= _MINUTE:
            lately.popleft()
        return sum(cost for _, cost in lately)
