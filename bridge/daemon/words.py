"""Numbers and times as words, for what the terminal tells. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bridge.render.dates import day

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_WEEK = timedelta(days=7)


def count(number: int, one: str, many: str = "") -> str:
    """Return "1 page", "4,112 pages"; ``many`` where the plural is not ``one`` with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def lasting(span: timedelta) -> str:
    """Return how long something took or lies back, in its largest unit: "6 seconds", "2 hours", "3 days"."""
    span = max(span, timedelta())
    if span < _MINUTE:
        return count(span.seconds, "second")
    if span < _HOUR:
        return count(span // _MINUTE, "minute")
    return count(span // _HOUR, "hour") if span < _DAY else count(span // _DAY, "day")


def since(instant: datetime, now: datetime) -> str:
    """Return since when something waits: "10 minutes", "2 hours", "yesterday", "3 days", "3 March"."""
    span = now - instant
    if _DAY <= span < 2 * _DAY:
        return "yesterday"
    return lasting(span) if span < _WEEK else date(instant, now)


def date(instant: datetime, now: datetime) -> str:
    """Return "3 March" (UTC), with the year where it is not this one's."""
    shown = day(instant, "UTC")
    return shown.rsplit(" ", 1)[0] if instant.astimezone(UTC).year == now.astimezone(UTC).year else shown


def printable(text: str) -> str:
    """Return a text from mail as one line that cannot steer a terminal."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def upper_first(sentence: str) -> str:
    """Return a sentence that begins with a capital."""
    return sentence[:1].upper() + sentence[1:]
