"""What an API client is given from above: where its token comes from, and when it may send."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from bridge.errors import PauseScope


class TokenSource(Protocol):
    """One person's access token at one provider."""

    def __call__(self, refused: str = "") -> str:
        """Return a live access token.

        Args:
            refused: the token that was just answered 401. The source refreshes once, unless it has another token by
                now because somebody else has refreshed in between.

        Raises:
            errors.RemoteError: the refresh failed; ``NeedsConsent`` where only the person can mend it.
        """
        ...

    def stale(self, token: str) -> bool:
        """Say whether the recorded expiry of this token has passed."""
        ...


class Budget(Protocol):
    """How much may be asked of one site at once."""

    def hold(self) -> AbstractContextManager[None]:
        """Return a context in which one request may be under way; entering it waits for a place and for pauses."""
        ...

    def paused(self, seconds: float | None, scope: PauseScope) -> None:
        """Take note that the provider asked for a pause.

        Args:
            seconds: how long; None where the provider did not say.
            scope: whose pause it is.
        """
        ...


class NoBudget:
    """A budget without limits, for one-off calls such as those of ``connect`` and ``doctor``."""

    def hold(self) -> AbstractContextManager[None]:
        """Return a context that never waits."""
        return nullcontext()

    def paused(self, seconds: float | None, scope: PauseScope) -> None:
        """Forget the pause; the error that came with it says it to the caller."""
