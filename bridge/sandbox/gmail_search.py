"""The part of Gmail's search language that a client of this kind may use: operators joined by AND, and plain words."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from bridge.sandbox.gmail_state import Mailbox, StoredMessage

_TERM = re.compile(r'(-?)(?:([a-z0-9]+):)?("[^"]*"|\([^)]*\)|\S+)', re.IGNORECASE)
_PLACES = {"inbox": "INBOX", "sent": "SENT", "trash": "TRASH", "spam": "SPAM", "draft": "DRAFT", "drafts": "DRAFT"}
_STATES = {"unread": "UNREAD", "starred": "STARRED", "important": "IMPORTANT"}


def matches(mailbox: Mailbox, message: StoredMessage, query: str) -> bool:
    """Return whether a message is found by a query."""
    for minus, operator, value in _TERM.findall(query):
        if _holds(mailbox, message, operator.casefold(), value.strip('"()')) == bool(minus):
            return False
    return True


def anywhere(query: str) -> bool:
    """Return whether the query itself asks for Spam and Trash too."""
    return re.search(r"\bin:(anywhere|trash|spam)\b", query, re.IGNORECASE) is not None


def _holds(mailbox: Mailbox, message: StoredMessage, operator: str, value: str) -> bool:
    wanted = value.casefold()
    if operator == "label":
        label = mailbox.labels.find(value) or next(
            (one for one in mailbox.labels if re.sub(r"[ /]", "-", one.name).casefold() == wanted), None
        )
        return label is not None and label.id in message.label_ids
    if operator == "in":
        return wanted == "anywhere" or _PLACES.get(wanted, "") in message.label_ids
    if operator == "is":
        return _STATES.get(wanted, "") in message.label_ids or (wanted == "read" and "UNREAD" not in message.label_ids)
    if operator == "has":
        return wanted == "attachment" and any(part.filename for part in message.mime.walk())
    if operator in ("after", "before"):
        return (message.internal_date >= _instant(value)) == (operator == "after")
    if operator == "rfc822msgid":
        return message.mime.header("Message-ID").strip("<> ") == value.strip("<>")
    if operator in ("from", "to", "cc", "subject"):
        return wanted in message.mime.header(operator).casefold()
    everything = [message.mime.header(name) for name in ("From", "To", "Cc", "Subject")]
    texts = [part.content.decode("utf-8", "replace") for part in message.mime.walk() if part.text and part.content]
    return wanted in "\n".join((*everything, *texts)).casefold()


def _instant(value: str) -> int:
    if value.isdigit():
        return int(value) * 1000
    year, month, day = (int(number) for number in re.split(r"[/-]", value))
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)
