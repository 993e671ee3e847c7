"""How a follow says that it was planned only, in ``[safety] mode = "observe"``, and what it waited for before."""

from __future__ import annotations

_OBSERVED = "observed"
_AFTER = "observed, "
_ANSWERED = ("backlog", "brake", "blind copy")


def is_observed(reason: str) -> bool:
    """Say whether a follow's reason marks it as planned only."""
    return reason == _OBSERVED or reason.startswith(_AFTER)


def reason_of(before: str) -> str:
    """Return the reason of a follow that was planned only; what its person was asked about stays in it."""
    return _AFTER + before if before in _ANSWERED else _OBSERVED


def reason_before(reason: str) -> str:
    """Return what a follow's person was asked about before it was planned only; any other reason as it is."""
    return reason.removeprefix(_AFTER) if reason.startswith(_AFTER) else "" if reason == _OBSERVED else reason
