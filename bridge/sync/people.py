"""Who got a message, and who did not: the reasons for which a message is held or skipped. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from bridge.model import Message

_NOT_MAIL = {
    "DRAFT": "a draft",
    "SPAM": "in spam",
    "TRASH": "in the trash",
    "CHAT": "a chat",
    "SCHEDULED": "scheduled, not sent yet",
}


def not_there(message: Message, now: datetime) -> str:
    """Say why a message is not (or not yet) part of its thread; '' where it is."""
    for label, why in _NOT_MAIL.items():
        if label in message.label_ids:
            return why
    return "dated in the future" if message.date > now else ""


def left_out(message: Message, earlier: Sequence[Message]) -> tuple[str, ...]:
    """Return who was on an earlier message and did not get this one, in alphabetical order.

    Its own sender does not count, and nobody does when it went to a list that an earlier one went to. The sender's own
    copy of a mail to a list names no list: there the list is known by its address.
    """
    if not earlier:
        return ()
    lists = {_dotted(one.list_id) for one in (message, *earlier) if one.list_id}
    if any(_reached(message, lists) & _reached(other, lists) for other in earlier):
        return ()
    before = frozenset[str]().union(*(other.people for other in earlier))
    return tuple(sorted(before - message.people - {message.sender.address}))


def _reached(message: Message, lists: AbstractSet[str]) -> set[str]:
    """Return which of some lists a message went through, or to."""
    return {_dotted(one) for one in (message.list_id, *message.people)} & lists


def _dotted(list_name: str) -> str:
    """Return a list's address as its List-Id: the same name, with a dot where the address has its @ (RFC 2919)."""
    return list_name.replace("@", ".")


def blind_copy(message: Message, owner: str) -> bool:
    """Say whether the mailbox's owner got a message without standing in any of its headers, and through no list."""
    return owner not in message.people and not message.list_id and "SENT" not in message.label_ids


def names(addresses: Iterable[str]) -> str:
    """Return addresses as words: "a, b and c"."""
    listed = list(addresses)
    if len(listed) < 2:
        return "".join(listed)
    return ", ".join(listed[:-1]) + " and " + listed[-1]
