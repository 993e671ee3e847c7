"""What a failure means for the thread that met it. Pure: an error goes in, a reaction comes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bridge.clock import Chance
from bridge.errors import (
    Conflict,
    CredentialRefused,
    NeedsConsent,
    OperatorMustAct,
    PersonMustAct,
    RateLimited,
    Refused,
    RemoteError,
    TooLarge,
)

Move = Literal["time", "person", "consent", "operator", "nobody"]

_FIRST_DELAY = 2.0
_CONFLICTS = 3
"""So often in a row a conflict is taken for what it says; then it is a fault like any other."""

_LONGEST_DELAY = timedelta(hours=1)
_PERSON_AGAIN = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Reaction:
    """Whose move it is now, when to try again, and what to tell them.

    ``move`` is "time" for a passing fault, "person" for what only the person can mend, "consent" where they must
    connect again, "operator" for a wrong client secret, "nobody" where Confluence refused what was sent, the plain
    fallback too: sending it again at once would bring the same answer.
    """

    move: Move
    again_at: datetime
    detail: str
    cause: str


def reaction(error: RemoteError, *, now: datetime, tries: int, chance: Chance) -> Reaction:
    """Return what an error means.

    Args:
        error: what was raised.
        now: the instant.
        tries: how many attempts failed in a row, from 1.
        chance: for the jitter, so that many do not come back at once.
    """
    cause = f"{error.provider} {error.answer.status or 'no answer'} {error.answer.reason}".strip()
    detail = str(error)
    if isinstance(error, NeedsConsent):
        return Reaction("consent", now + _PERSON_AGAIN, detail, cause)
    if isinstance(error, OperatorMustAct):
        return Reaction("operator", now + timedelta(minutes=5), detail, cause)
    if isinstance(error, (PersonMustAct, CredentialRefused)):
        return Reaction("person", now + _PERSON_AGAIN, detail, cause)
    if isinstance(error, (Refused, TooLarge)):
        return Reaction("nobody", now + _PERSON_AGAIN, detail, cause)
    if isinstance(error, RateLimited) and error.retry_after is not None:
        return Reaction("time", now + _bounded(error.retry_after + chance.uniform(0.0, 1.0)), detail, cause)
    if isinstance(error, Conflict) and tries <= _CONFLICTS:
        return Reaction("time", now + timedelta(seconds=chance.uniform(1.0, 3.0)), detail, cause)
    return Reaction("time", now + backoff(tries, chance), detail, cause)


def backoff(tries: int, chance: Chance) -> timedelta:
    """Return how long to wait after the n-th failure in a row: 2, 4, 8, ... seconds with jitter, an hour at most."""
    return _bounded(_FIRST_DELAY * 2 ** min(tries - 1, 12) * chance.uniform(0.75, 1.25))


def _bounded(seconds: float) -> timedelta:
    return min(timedelta(seconds=seconds), _LONGEST_DELAY)
