"""What a company's people do in a simulation, as values: one act after the other, each at its instant.

The history of acts is all that the model of what must stand reads of the people; so an act's details say everything
that the model must know, as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that one person did.

    ``number`` counts from 1; ``at`` is aware, UTC, by the services' clock; ``who`` is an address; ``kind`` the name of
    what they did ("mail", "label", "edit a page"); ``conversation`` names the mail thread that it is about across all
    mailboxes ("c7"), '' where it is about none. ``details`` has what the model must know of it, by name.
    """

    number: int
    at: datetime
    who: str
    kind: str
    conversation: str = ""
    details: Mapping[str, str] = field(default_factory=dict)

    def line(self) -> str:
        """Return the act as one row of a table: number, time, who, what, conversation, details."""
        said = " ".join(f"{name}={_short(value)}" for name, value in self.details.items() if value)
        who = self.who.partition("@")[0]
        start = f"{self.number:>5}  {self.at:%d %H:%M:%S}  {who:<8}  {self.kind:<22}  {self.conversation:<5}"
        return f"{start}  {said}".rstrip()


def table(acts: Iterable[Act]) -> str:
    """Return acts as a table, one a line, with a head."""
    head = f"{'#':>5}  {'day and time':<11}  {'who':<8}  {'what':<22}  {'conv.':<5}  details"
    return "\n".join([head, *(act.line() for act in acts)])


def _short(value: str, most: int = 60) -> str:
    """Return a value as it fits in a row."""
    flat = " ".join(value.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"
