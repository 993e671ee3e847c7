"""Header fields and a tree of parts -> Message. What Gmail's payload and an .eml have in common."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from bridge.mail import automatic, bodies, charset, headers
from bridge.mail.parts import Part
from bridge.model import Message, Person

NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)
"""The date of a mail that says nothing about when it was written or received."""


def assemble(
    fields: list[tuple[str, str]],
    root: Part,
    *,
    gmail_id: str = "",
    thread_id: str = "",
    label_ids: frozenset[str] = frozenset(),
    date: datetime | None = None,
    owner: str = "",
    snippet: str = "",
) -> Message:
    """The message of ``fields`` (in the order received) and ``root``.

    Without ``date`` it is the Date field's, else the last hop's. ``owner`` is the address of the mailbox it lies in.
    """
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name.strip().lower(), []).append(value)
    hint = _field_hint(root, found)
    selection = bodies.select(root, _body_hint(found))
    sent = headers.date(_first(found, "date"))
    sender = _sender(found, hint)
    subject = headers.text(_first(found, "subject"), hint)
    return Message(
        gmail_id=gmail_id,
        thread_id=thread_id,
        label_ids=label_ids,
        date=date or sent or _received(found) or NO_DATE,
        sent=sent,
        message_id=headers.message_id(_first(found, "message-id")),
        in_reply_to=headers.message_id(_first(found, "in-reply-to")),
        references=tuple(dict.fromkeys(one for value in found.get("references", ()) for one in headers.ids(value))),
        sender=sender,
        to=_people(found, "to", hint),
        cc=_people(found, "cc", hint),
        subject=subject,
        bodies=selection.bodies,
        files=selection.files,
        list_id=_list_id(found, hint),
        automatic=automatic.automatic(found, sender, subject, frozenset(_kinds(root))),
        proof=automatic.proof(label_ids, sender, owner, found),
        snippet=headers.clean(snippet),
    )


def _first(fields: dict[str, list[str]], name: str) -> str:
    return next(iter(fields.get(name, ())), "")


def _people(fields: dict[str, list[str]], name: str, hint: str | None) -> tuple[Person, ...]:
    return tuple(dict.fromkeys(one for value in fields.get(name, ()) for one in headers.people(value, hint)))


def _sender(fields: dict[str, list[str]], hint: str | None) -> Person:
    """From, else Sender: the first mailbox that has an address, else the first."""
    everybody = (*_people(fields, "from", hint), *_people(fields, "sender", hint))
    return next((one for one in everybody if one.address), next(iter(everybody), Person("", "")))


def _received(fields: dict[str, list[str]]) -> datetime | None:
    for value in fields.get("received", ()):
        found = headers.date(value.rpartition(";")[2])
        if found is not None:
            return found
    return None


def _list_id(fields: dict[str, list[str]], hint: str | None) -> str:
    """The id in List-Id, else the address that the list says to post to."""
    for name in ("list-id", "list-post", "x-mailing-list"):
        value = _first(fields, name)
        if value.strip():
            inside = headers.message_id(value) or headers.text(value, hint)
            return inside.lower().removeprefix("mailto:")
    return ""


def _kinds(part: Part) -> Iterator[str]:
    yield part.mime_type
    for child in part.parts:
        yield from _kinds(child)


def _field_hint(root: Part, fields: dict[str, list[str]]) -> str | None:
    """What raw bytes in header fields may be in: the body's charset, else that of the encoded words around."""
    for part in (*bodies.text_parts(root), root):
        label = part.parameters.get("charset")
        if label and charset.codec_of(label) not in (None, "utf_8", "cp1252"):
            return label
    return _body_hint(fields)


def _body_hint(fields: dict[str, list[str]]) -> str | None:
    labels = (
        label for name in ("subject", "from") for value in fields.get(name, ()) for label in headers.charsets(value)
    )
    return next((label for label in labels if charset.codec_of(label) not in (None, "utf_8", "cp1252")), None)
