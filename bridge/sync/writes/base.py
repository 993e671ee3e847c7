"""What every kind of write is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from sqlmodel import Session

from bridge.confluence import Confluence
from bridge.store.tables import Write

EVER = datetime.min.replace(tzinfo=UTC)
"""Before everything: what is looked for may be as old as it likes."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a write brought: the remote id, and where it is known its address and version."""

    remote_id: str
    url: str = ""
    version: int = 0


class RecordedAlone:
    """A kind whose row in the table of writes is all that is kept of its success."""

    __slots__ = ()

    def done(self, session: Session, write: Write, result: Result, now: datetime) -> None:
        """Change nothing more."""
        return


class Kind(Protocol):
    """One write that is to be made; ``settle`` is how many seconds a lost request may still take effect in."""

    @property
    def kind(self) -> str:
        """The kind's name, as in the table of writes."""
        ...

    @property
    def target(self) -> str:
        """What is written within the publication."""
        ...

    @property
    def settle(self) -> float:
        """Seconds after which a lost request has taken effect or never will."""
        ...

    @property
    def looks(self) -> int:
        """How many looks in vain, a minute apart, prove that a lost request took no effect."""
        ...

    @property
    def title(self) -> str:
        """The title that is tried, '' for kinds without one."""
        ...

    def request(self, client: Confluence, write: Write) -> Result:
        """Send it.

        Raises:
            errors.RemoteError: as the client says.
        """
        ...

    def look(self, client: Confluence, write: Write, since: datetime) -> Result | None:
        """Look whether an earlier request took effect; None where it did not.

        Args:
            client: of the person whose turn it is.
            write: the row of the earlier request.
            since: nothing older than this can be it.
        """
        ...

    def done(self, session: Session, write: Write, result: Result, now: datetime) -> None:
        """Change the tables by its success, in the transaction that marks the write as done."""
        ...
