"""Faults that are limits: 429 of every scope, with every form of Retry-After, and Google's 403 for the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from werkzeug.http import http_date
from werkzeug.wrappers import Response

from bridge.sandbox import gmail_errors
from bridge.sandbox.confluence_wire import rate_limited
from bridge.sandbox.faults.kinds import Applies, Before, Kind, Visit, confluence, every, gmail

_PAUSE = 30
_NONSENSE = "soon"
_FORMS = ("date", "nonsense", "none")


def _takes(text: str) -> bool:
    return text in _FORMS or (text.isascii() and text.isdecimal() and len(text) <= 6)


def _pause(visit: Visit, answer: Response, otherwise: str = str(_PAUSE)) -> Response:
    """Write the pause that the rule asks for into an answer."""
    said = visit.argument or otherwise
    answer.headers.pop("Retry-After", None)
    if said == "date":
        answer.headers["Retry-After"] = http_date(visit.core.clock.now() + timedelta(seconds=_PAUSE))
    elif said == "nonsense":
        answer.headers["Retry-After"] = _NONSENSE
    elif said != "none":
        answer.headers["Retry-After"] = said
    return answer


def _plain(visit: Visit) -> Response:
    if not visit.google:
        answer = rate_limited("", None)
        del answer.headers["RateLimit-Reason"]
        return _pause(visit, answer)
    said = visit.argument or str(_PAUSE)
    if said.isdecimal():
        # Gmail gives the instant in its text, and no header.
        return gmail_errors.retry_after(visit.core.clock.now() + timedelta(seconds=int(said)))
    answer = gmail_errors.rate_limit_exceeded() if said != "none" else gmail_errors.too_many_concurrent()
    return _pause(visit, answer)


def _reason(reason: str, otherwise: str) -> Before:
    def before(visit: Visit) -> Response:
        return _pause(visit, rate_limited(reason, None), otherwise)

    return before


def _google(make: Callable[[], Response]) -> Before:
    return lambda visit: make()


def _limit(name: str, words: str, applies: Applies, before: Before, unit: str = "") -> Kind:
    return Kind(name, words, "none", applies, before=before, unit=unit, takes=_takes)


_UNIT = "seconds, date, nonsense or none"

KINDS: tuple[Kind, ...] = (
    _limit("429", "Too many requests; nothing says whose limit it is.", every, _plain, _UNIT),
    _limit(
        "429-burst",
        "Too many requests of one person at once.",
        confluence,
        _reason("confluence-burst-based", "3"),
        _UNIT,
    ),
    _limit(
        "429-tenant",
        "The site's hourly quota is used up.",
        confluence,
        _reason("confluence-quota-tenant-based", str(_PAUSE)),
        _UNIT,
    ),
    _limit(
        "429-app",
        "The program's hourly quota over all sites is used up.",
        confluence,
        _reason("confluence-quota-global-based", "none"),
        _UNIT,
    ),
    _limit(
        "429-exhausted",
        "Gmail's resource has been exhausted.",
        gmail,
        _google(gmail_errors.resource_exhausted),
    ),
    _limit(
        "403-user-rate",
        "Gmail's limit for one person (userRateLimitExceeded).",
        gmail,
        _google(gmail_errors.user_rate_limit_exceeded),
    ),
    _limit(
        "403-rate",
        "Gmail's quota of a minute is used up (rateLimitExceeded).",
        gmail,
        _google(gmail_errors.quota_exceeded),
    ),
    _limit(
        "403-daily",
        "Gmail's quota of the day is used up (dailyLimitExceeded).",
        gmail,
        _google(gmail_errors.daily_limit_exceeded),
    ),
)
