"""What Gmail's answers become. int64 values are strings in its JSON and ints here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.gmail.answers import malformed


@dataclass(frozen=True, slots=True)
class Profile:
    """A mailbox: its lower-case address and its current history id."""

    address: str
    history_id: int


@dataclass(frozen=True, slots=True)
class Label:
    """A label. The id never changes, the name does; ``type`` is "system" or "user"."""

    id: str
    name: str
    type: str


NOISE = frozenset({"UNREAD", "STARRED", "IMPORTANT", "INBOX"})
"""Labels whose coming and going is a reader's click; so are all ``CATEGORY_`` ones."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What history says of one thread.

    ``history_id`` is the largest id of a record about it, ``label_ids`` all labels that those records name on it,
    ``removed`` those that were taken off a message. ``unsure`` marks a thread with a new message whose record names
    no label at all.
    """

    history_id: int
    label_ids: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """What happened in a mailbox since a cursor.

    ``touched`` maps the id of each thread to what is said of it; clicks such as reading or archiving a mail touch
    nothing. ``cursor`` is the smallest history id of
    the pages that were read: a later page may be younger than the first, and what came in between would be skipped.
    ``label_ids`` are all that the records name, so that a label that nobody knows yet is noticed. ``records`` is how
    many there were.
    """

    touched: Mapping[str, Touched]
    cursor: int
    label_ids: frozenset[str]
    records: int


def number(value: object, what: str) -> int:
    """Return a history id as an int.

    Raises:
        Temporary: it is none.
    """
    try:
        return int(str(value))
    except ValueError:
        raise malformed(what) from None


def objects(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list that Gmail leaves out where it is empty."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def messages_of(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every message that a history record names, more than once where it names it so."""
    found = objects(record.get("messages"))
    for key in ("messagesAdded", "messagesDeleted", "labelsAdded", "labelsRemoved"):
        found += objects([item.get("message") for item in objects(record.get(key))])
    return found


def label_ids_of(record: Mapping[str, Any]) -> set[str]:
    """Return every label id that a history record names.

    A label that a filter put on stands only in the added message itself.
    """
    holders = [*messages_of(record), *objects(record.get("labelsAdded")), *objects(record.get("labelsRemoved"))]
    return {name for holder in holders for name in holder.get("labelIds") or () if isinstance(name, str)}


def touches_of(record: Mapping[str, Any], record_id: int) -> dict[str, Touched]:
    """Return what one history record says of each thread that it names; reading, starring and archiving say nothing."""
    found: dict[str, Touched] = {}
    for key in ("messagesAdded", "messagesDeleted", "labelsAdded", "labelsRemoved"):
        for change in objects(record.get(key)):
            message = change.get("message")
            if not isinstance(message, dict) or not isinstance(message.get("threadId"), str):
                continue
            moved = _names(change.get("labelIds"))
            if key.startswith("labels") and moved and all(_is_noise(name) for name in moved):
                continue
            one = Touched(
                history_id=record_id,
                label_ids=_names(message.get("labelIds")) | (moved if key == "labelsAdded" else frozenset()),
                removed=moved if key == "labelsRemoved" else frozenset(),
                unsure=key == "messagesAdded" and "labelIds" not in message,
            )
            thread_id = message["threadId"]
            found[thread_id] = joined(found.get(thread_id), one)
    return found


def joined(first: Touched | None, second: Touched) -> Touched:
    """Return what two records together say of a thread."""
    if first is None:
        return second
    return Touched(
        history_id=max(first.history_id, second.history_id),
        label_ids=first.label_ids | second.label_ids,
        removed=first.removed | second.removed,
        unsure=first.unsure or second.unsure,
    )


def _names(value: object) -> frozenset[str]:
    return frozenset(name for name in value if isinstance(name, str)) if isinstance(value, list) else frozenset()


def _is_noise(label_id: str) -> bool:
    return label_id in NOISE or label_id.startswith("CATEGORY_")
