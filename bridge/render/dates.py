"""Instants as readers see them: weekday and month by name, the offset spelled out."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def long_date(instant: datetime, timezone: str) -> str:
    """Return for example "Tuesday, 3 March 2026, 14:05 (UTC+01:00)"."""
    local = instant.astimezone(ZoneInfo(timezone))
    return f"{_DAYS[local.weekday()]}, {_clock(local)}"


def medium_date(instant: datetime, timezone: str) -> str:
    """Return for example "3 March 2026, 16:40 (UTC+01:00)"."""
    return _clock(instant.astimezone(ZoneInfo(timezone)))


def day(instant: datetime, timezone: str) -> str:
    """Return for example "3 March 2026"."""
    local = instant.astimezone(ZoneInfo(timezone))
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


def short_day(instant: datetime) -> str:
    """Return for example "3 Mar 2026", of the instant as it is given (titles are made of a route's own date)."""
    return f"{instant.day} {_MONTHS[instant.month - 1][:3]} {instant.year}"


def arrived_late(sent: datetime | None, date: datetime, timezone: str) -> str:
    """Return "sent 2 March, arrived later" where the mail was sent more than a day before it arrived, else ''.

    The year is named where it is not that of the arrival.
    """
    if sent is None or date - sent <= timedelta(days=1):
        return ""
    zone = ZoneInfo(timezone)
    there, here = sent.astimezone(zone), date.astimezone(zone)
    year = "" if there.year == here.year else f" {there.year}"
    return f"sent {there.day} {_MONTHS[there.month - 1]}{year}, arrived later"


def _clock(local: datetime) -> str:
    offset = local.utcoffset() or timedelta()
    minutes = round(offset.total_seconds() / 60)
    sign = "-" if minutes < 0 else "+"
    spelled = f"UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}" if minutes else "UTC"
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}, {local.hour:02}:{local.minute:02} ({spelled})"
