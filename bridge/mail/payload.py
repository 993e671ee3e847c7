"""Gmail API answers (``format=full``) -> Message and Thread. Any field may be absent or of an unexpected type.

Gmail has decoded file names and most encoded words, undone transfer encodings and converted text to UTF-8, while the
header fields go on naming the old charset.
"""

from __future__ import annotations

import base64
import binascii
import html
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bridge.mail import bodies, headers
from bridge.mail.assemble import NO_DATE, assemble
from bridge.mail.parts import MAX_DEPTH, Part, attached_name, child_id, leaf
from bridge.model import Message, Thread

_NOTHING_FETCHED: Mapping[str, bytes] = {}


def message(
    answer: Mapping[str, object], *, owner: str = "", fetched: Mapping[str, bytes] = _NOTHING_FETCHED
) -> Message:
    """The message of a messages.get answer, or of an entry of threads.get.

    ``owner`` is the mailbox's own address: it alone is proven by the label SENT. ``fetched`` has the bytes behind the
    attachment ids that ``wants`` named, by attachment id. A message without a payload is a message without content.
    """
    top = _mapping(answer.get("payload"))
    return assemble(
        _fields(top),
        _part(top, "", 0, fetched),
        gmail_id=_string(answer.get("id")),
        thread_id=_string(answer.get("threadId")),
        label_ids=frozenset(one for one in _list(answer.get("labelIds")) if isinstance(one, str)),
        date=_instant(answer.get("internalDate")),
        owner=owner,
        snippet=html.unescape(_string(answer.get("snippet"))),
    )


def thread(answer: Mapping[str, object], *, owner: str = "", fetched: Mapping[str, bytes] = _NOTHING_FETCHED) -> Thread:
    """The thread of a threads.get answer, its messages oldest first by internalDate (equal ones by id)."""
    entries = [entry for entry in _list(answer.get("messages")) if isinstance(entry, Mapping)]
    messages = [message(entry, owner=owner, fetched=fetched) for entry in entries]
    messages.sort(key=lambda one: (one.date, one.gmail_id))
    return Thread(_string(answer.get("id")), _number(answer.get("historyId")), tuple(messages))


def wants(answer: Mapping[str, object]) -> list[tuple[str, str]]:
    """(part id, attachment id) of body text and calendars that Gmail keeps elsewhere: fetch, then ``message``."""
    root = _part(_mapping(answer.get("payload")), "", 0, {})
    return [
        (part.part_id, part.attachment_id)
        for part in bodies.text_parts(root)
        if part.data is None and part.attachment_id
    ]


def _part(found: Mapping[str, object], own_id: str, depth: int, fetched: Mapping[str, bytes]) -> Part:
    fields = _fields(found)
    name = _string(found.get("filename"))
    part = leaf(_string(found.get("partId")) or own_id, _string(found.get("mimeType")), fields, name)
    children = [child for child in _list(found.get("parts")) if isinstance(child, Mapping)]
    body = _mapping(found.get("body"))
    attachment_id = _string(body.get("attachmentId"))
    data = _bytes(body.get("data"))
    if data is None and attachment_id:
        data = fetched.get(attachment_id)
    size = len(data) if data is not None else _number(body.get("size"))
    if part.mime_type in ("message/rfc822", "message/global"):
        subject = headers.text(headers.first(_fields(children[0]), "subject")) if children else ""
        name = attached_name(subject) if subject or not part.name else part.name
        return replace(part, name=name, data=data, size=size, attachment_id=attachment_id)
    if children and depth <= MAX_DEPTH:
        parts = (
            _part(child, child_id(part.part_id, number), depth + 1, fetched) for number, child in enumerate(children)
        )
        return replace(part, parts=tuple(parts))
    if data is None and not attachment_id and not part.name:
        data = b""
    return replace(part, data=data, size=size, attachment_id=attachment_id)


def _fields(part: Mapping[str, object]) -> list[tuple[str, str]]:
    entries = (_mapping(entry) for entry in _list(part.get("headers")))
    return [(_string(entry.get("name")), _string(entry.get("value"))) for entry in entries]


def _bytes(data: object) -> bytes | None:
    """The URL-safe base64 of a body, padded or not; None where there is none."""
    if not isinstance(data, str) or not data:
        return None
    try:
        return base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))
    except (binascii.Error, ValueError):
        return None


def _instant(milliseconds: object) -> datetime | None:
    number = _number(milliseconds)
    try:
        return NO_DATE + timedelta(milliseconds=number) if number else None
    except OverflowError:
        return None


def _number(value: object) -> int:
    if isinstance(value, int):
        return max(0, value)
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20 else 0


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
