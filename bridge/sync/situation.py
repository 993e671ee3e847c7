"""What the planner is told, as values: one thread of one mailbox, and what the tables know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bridge.config import Route
from bridge.model import ContentKind, Thread
from bridge.store.tables import EntryState, FollowState, PublicationState


@dataclass(frozen=True, slots=True)
class Place:
    """Where a route's new publications go; resolved before the planner runs.

    ``container`` is the page that a comment goes on, else the parent page's id or '' for the top of the space.
    """

    cloud_id: str
    site_url: str
    space_id: str
    space_key: str
    kind: ContentKind
    container: str

    @property
    def destination(self) -> str:
        """The destination key, without NULL parts."""
        return f"{self.cloud_id}/{self.space_id}/{self.kind}/{self.container or '-'}"


@dataclass(frozen=True, slots=True)
class NoPlace:
    """A place that cannot be had; ``detail`` says for its person what they must do."""

    detail: str


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """An entry of a publication, as the tables have it."""

    message_key: str
    state: EntryState
    ordinal: int
    answer: str = ""


@dataclass(frozen=True, slots=True)
class KnownPublication:
    """A publication that this thread has, or could join.

    ``mine`` is true where this mailbox's account writes it; ``writer_able`` whether its own writer still follows and
    can write; ``writer`` is that person's address.
    """

    id: int
    state: PublicationState
    mine: bool
    writer_able: bool
    writer: str
    entries: tuple[KnownEntry, ...] = ()

    def entry(self, message_key: str) -> KnownEntry | None:
        """Return the entry of a message, None where there is none."""
        return next((entry for entry in self.entries if entry.message_key == message_key), None)


@dataclass(frozen=True, slots=True)
class KnownFollow:
    """A follow of this thread, as the tables have it.

    ``since`` is when it came into its state; ``publication`` is None before the first write.
    """

    route: str
    state: FollowState
    reason: str
    answer: str
    since: datetime
    not_before: datetime
    publication: KnownPublication | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that decides what becomes of a thread.

    ``labels`` maps a route's name to the Gmail id of its label, and has no entry where the mailbox has no such label
    (never made, or deleted: then nothing is concluded from its absence on a message). ``places`` is filled for routes
    that need a new publication. ``joinable`` has, by route, the publication that owns one of these messages at the
    route's destination already, if this person may see it; ``audiences`` the audience key of a new publication, ''
    for everybody who may see the place. ``look_again`` is how many seconds a follower waits
    for a publication's own writer before writing in their stead.
    """

    thread: Thread
    owner: str
    account_id: int
    now: datetime
    routes: tuple[Route, ...]
    labels: Mapping[str, str]
    follows: Mapping[str, KnownFollow]
    places: Mapping[str, Place | NoPlace] = field(default_factory=dict)
    joinable: Mapping[str, KnownPublication] = field(default_factory=dict)
    audiences: Mapping[str, str] = field(default_factory=dict)
    narrow_replies: str = "hold"
    look_again: float = 120.0
