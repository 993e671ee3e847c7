"""The states that rows go through, stored by value, so that a member added later needs no migration."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Enum


class GrantState(StrEnum):
    """Whether a grant can be used."""

    LIVE = "live"
    NEEDS_CONSENT = "needs consent"


class FollowState(StrEnum):
    """Where a follow stands."""

    FOLLOWING = "following"
    HELD = "held"
    IGNORED = "ignored"
    STOPPED = "stopped"
    TAKEN_DOWN = "taken down"
    NEEDS_SOMEBODY = "needs somebody"


class PublicationState(StrEnum):
    """Where a publication stands."""

    PLANNED = "planned"
    DRAFTED = "drafted"
    PUBLISHED = "published"
    REMOVED = "removed"


class EntryState(StrEnum):
    """Where an entry stands."""

    PLANNED = "planned"
    HELD = "held"
    DONE = "done"
    FAILED = "failed"
    GIVEN_UP = "given up"
    REMOVED = "removed"


class AttachmentState(StrEnum):
    """Where an attachment stands."""

    RESERVED = "reserved"
    DONE = "done"


class WriteState(StrEnum):
    """Where a write stands; ``sent`` also means that its answer may have been lost."""

    PLANNED = "planned"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"
    GIVEN_UP = "given up"


def state_type(kind: type[StrEnum]) -> Enum:
    """Return the column type of a state: its value as text of at most 16 characters."""
    return Enum(
        kind,
        native_enum=False,
        length=16,
        create_constraint=False,
        values_callable=lambda members: [member.value for member in members],
    )
