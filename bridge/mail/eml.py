"""An .eml file (a mail as it went over the wire) -> Message."""

from __future__ import annotations

import binascii
import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import Message as Mime

from bridge.mail import headers
from bridge.mail.assemble import assemble
from bridge.mail.parts import MAX_DEPTH, Part, attached_name, child_id, leaf
from bridge.model import Message

_FIELD = re.compile(rb"[\x21-\x39\x3b-\x7e]+[ \t]*:")
_KNOWN = re.compile(rb"(?:from|to|subject|date|message-id|mime-version|content-type|received):", re.IGNORECASE)
_MAX_BLOCK = 256 * 1024


def message(data: bytes, *, owner: str = "") -> Message:
    """The message of an .eml file; it has no Gmail id, thread id or labels. Never raises.

    What cannot be read is left out. ``date`` is the Date field's instant, else the last hop's Received, else the epoch.
    """
    repaired = _repaired(data)
    try:
        parsed = message_from_bytes(repaired, policy=policy.compat32)
    except (RecursionError, ValueError, LookupError):
        # Nested beyond all sense: the header block alone can be read, the mail itself is kept as a file.
        parsed = message_from_bytes(re.split(rb"\r?\n\r?\n", repaired, maxsplit=1)[0], policy=policy.compat32)
        whole = Part("0", "message/rfc822", name="message.eml", data=data, size=len(data))
        return assemble(_fields(parsed), Part("", "multipart/mixed", parts=(whole,)), owner=owner)
    return assemble(_fields(parsed), _part(parsed, "", 0), owner=owner)


def _repaired(data: bytes) -> bytes:
    """Folded fields whose later lines lost their leading blank, mended; a mailbox file's "From " line taken off.

    A line without a field name ends the header block for every parser. Here it counts as folded when a field that any
    mail has comes after it, before the first empty line.
    """
    data = data.lstrip(b"\r\n")
    end = re.search(rb"\r?\n\r?\n", data[:_MAX_BLOCK])
    if end is None:
        return data
    lines = data[: end.start()].split(b"\n")
    broken = [
        number
        for number, line in enumerate(lines)
        if number and line.strip() and line[:1] not in b" \t" and not _FIELD.match(line)
    ]
    known = max((number for number, line in enumerate(lines) if _KNOWN.match(line)), default=0)
    folded = [number for number in broken if number < known]
    if not folded:
        return data
    for number in folded:
        lines[number] = b" " + lines[number]
    return b"\n".join(lines) + data[end.start() :]


def _fields(parsed: Mime) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in parsed.raw_items()]


def _part(parsed: Mime, part_id: str, depth: int) -> Part:
    fields = _fields(parsed)
    part = leaf(part_id, "" if headers.first(fields, "content-type") else parsed.get_default_type(), fields)
    children = parsed.get_payload() if parsed.is_multipart() else []
    nested = [child for child in children if isinstance(child, Mime)] if isinstance(children, list) else []
    if part.mime_type in ("message/rfc822", "message/global") and nested:
        subject = headers.text(headers.first(_fields(nested[0]), "subject"))
        name = attached_name(subject) if subject or not part.name else part.name
        data = _source(nested[0])
        return replace(part, name=name, data=data, size=len(data))
    if nested and part.mime_type.startswith("multipart/") and depth <= MAX_DEPTH:
        parts = (_part(child, child_id(part_id, number), depth + 1) for number, child in enumerate(nested))
        return replace(part, parts=tuple(parts))
    data = b"\n".join(_source(child) for child in nested) if nested else _content(parsed)
    return replace(part, data=data, size=len(data))


def _source(parsed: Mime) -> bytes:
    """A nested mail as bytes again; its long lines are not folded anew."""
    try:
        return parsed.as_bytes(policy=policy.compat32.clone(max_line_length=None))
    except (UnicodeError, LookupError, ValueError, TypeError, RecursionError):
        return b""


def _content(parsed: Mime) -> bytes:
    """The bytes of a part after transfer decoding; of a broken encoding what can be had."""
    try:
        data = parsed.get_payload(decode=True)
    except (binascii.Error, ValueError, LookupError, TypeError):
        data = None
    return data if isinstance(data, bytes) else b""
