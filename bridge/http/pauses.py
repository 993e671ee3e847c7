"""How long a provider asks us to wait."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from bridge.errors import PauseScope

LONGEST_HEADER = 3600.0
"""Seconds: what a header may ask for at most."""

LONGEST_INSTANT = 24 * 3600.0
"""Seconds: what an instant in Google's text may ask for at most; bandwidth limits really last hours."""

_INSTANT = re.compile(r"Retry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)", re.IGNORECASE)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that an answer's headers ask to wait, at most an hour.

    ``Retry-After`` counts first (seconds or an HTTP date), then ``X-RateLimit-Reset`` (an ISO 8601 instant at
    Atlassian). None where neither says anything of use: absent, nonsense, 0, or an instant that is over; the caller
    then backs off by its own rule.

    Args:
        headers: the answer's headers; names are matched as the mapping matches them, so give a caseless one.
        now: the instant, aware.
    """
    value = headers.get("Retry-After", "").strip()
    seconds = _number(value)
    if seconds is None and value:
        seconds = _until(_http_date(value), now)
    if seconds is None or seconds <= 0:
        seconds = _until(_iso(headers.get("X-RateLimit-Reset", "").strip()), now)
    if seconds is None or seconds <= 0:
        return None
    return min(seconds, LONGEST_HEADER)


def instant_in_text(text: str, now: datetime) -> float | None:
    """Return the seconds until the instant that Gmail writes into its message, at most a day.

    Gmail's per-user limit says "Retry after 2023-03-07T18:18:23.688Z" in the text and sends no header. None where
    there is no instant or it is over.
    """
    found = _INSTANT.search(text)
    if not found:
        return None
    seconds = _until(_iso(found.group(1)), now)
    return min(seconds, LONGEST_INSTANT) if seconds is not None and seconds > 0 else None


def atlassian_pause(headers: Mapping[str, str], now: datetime) -> tuple[float | None, PauseScope]:
    """Return how long an Atlassian 429 asks to wait and whose pause it is.

    ``RateLimit-Reason`` names a burst (one person), a tenant's quota (the site) or the quota of the whole app; its
    exact words vary, so they are matched loosely. Without it the site pauses. A quota lasts until the full hour (UTC),
    which is taken where the headers give no time.
    """
    reason = headers.get("RateLimit-Reason", "").lower()
    seconds = retry_after(headers, now)
    if "burst" in reason:
        return seconds, "person"
    scope: PauseScope = "app" if "global" in reason else "site"
    if seconds is None and ("global" in reason or "tenant" in reason or "quota" in reason):
        hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        seconds = (hour - now).total_seconds()
    return seconds, scope


def _number(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _http_date(value: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _iso(value: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _until(instant: datetime | None, now: datetime) -> float | None:
    return None if instant is None else (instant - now).total_seconds()
