"""Atlassian's hourly points: what each call costs, what is left, and the headers that say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from werkzeug.wrappers import Response

from bridge.sandbox.confluence_wire import rate_limited

POINTS_AN_HOUR = 65_000
NEAR = 0.2


class Meter:
    """Counts points by the UTC hour: 1 a request, 1 more for each object of an answer, 2 for each person in it.

    ``total`` and ``by_operation`` count over all hours, for benchmarks; ``limit`` is what one hour allows, and
    ``refused`` counts what went beyond it.
    """

    def __init__(self, now: Callable[[], datetime], limit: int = POINTS_AN_HOUR) -> None:
        self._now = now
        self.limit = limit
        self.used = 0
        self.total = 0
        self.refused = 0
        self.by_operation: Counter[str] = Counter()
        self._hour = self._this_hour()

    def _this_hour(self) -> datetime:
        return self._now().replace(minute=0, second=0, microsecond=0)

    def _turn(self) -> None:
        hour = self._this_hour()
        if hour != self._hour:
            self._hour, self.used = hour, 0

    def refusal(self) -> Response | None:
        """Return the 429 of an hour that is used up, else None."""
        self._turn()
        if self.used < self.limit:
            return None
        self.refused += 1
        left = self._hour + timedelta(hours=1) - self._now()
        response = rate_limited("confluence-quota-global-based", int(left.total_seconds()) + 1)
        self.stamp(response)
        return response

    def add(self, operation: str, points: int) -> None:
        """Count what a request cost."""
        self._turn()
        self.used += points
        self.total += points
        self.by_operation[operation] += points

    def stamp(self, response: Response) -> None:
        """Write the state of the hour into an answer's headers."""
        self._turn()
        remaining = max(0, self.limit - self.used)
        reset = self._hour + timedelta(hours=1)
        response.headers["X-RateLimit-Limit"] = str(self.limit)
        response.headers["X-RateLimit-Remaining"] = str(remaining)
        response.headers["X-RateLimit-Reset"] = reset.strftime("%Y-%m-%dT%H:%MZ")
        if remaining < self.limit * NEAR:
            response.headers["X-RateLimit-NearLimit"] = "true"
        seconds = int((reset - self._now()).total_seconds())
        response.headers["Beta-RateLimit-Policy"] = f'"global-app-quota";q={self.limit};w=3600'
        response.headers["Beta-RateLimit"] = f'"global-app-quota";r={remaining};t={seconds}'
