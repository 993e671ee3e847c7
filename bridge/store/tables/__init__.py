"""All tables. The same on SQLite and PostgreSQL.

Every time is aware and UTC. Text from mail has lost NUL and lone surrogates before it comes here. States are stored
by value, so that a member added later needs no migration.
"""

from __future__ import annotations

from bridge.store.tables.people import Account, Consent, Grant, Label, Mailbox, TouchedThread
from bridge.store.tables.places import Mark, Search, Site, Space
from bridge.store.tables.publishing import Attachment, Claim, Entry, Follow, Publication, Write
from bridge.store.tables.records import Event, KeptInput, Meta, Pause
from bridge.store.tables.states import (
    AttachmentState,
    EntryState,
    FollowState,
    GrantState,
    PublicationState,
    WriteState,
)

__all__ = [
    "Account",
    "Attachment",
    "AttachmentState",
    "Claim",
    "Consent",
    "Entry",
    "EntryState",
    "Event",
    "Follow",
    "FollowState",
    "Grant",
    "GrantState",
    "KeptInput",
    "Label",
    "Mailbox",
    "Mark",
    "Meta",
    "Pause",
    "Publication",
    "PublicationState",
    "Search",
    "Site",
    "Space",
    "TouchedThread",
    "Write",
    "WriteState",
]
