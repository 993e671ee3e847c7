"""What Gmail's API says of a mailbox: messages in their formats, threads, history records, attachment ids."""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence
from typing import Any

from bridge.sandbox.core import Core
from bridge.sandbox.gmail_payload import MailPart, base64url, payload
from bridge.sandbox.gmail_state import Change, Json, Mailbox, Record, StoredMessage, ThreadView


class AttachmentIds:
    """Attachment ids of one mailbox: new in each answer, and good for a few answers of that message only."""

    def __init__(self, core: Core, mailbox: Mailbox) -> None:
        self._core = core
        self._mailbox = mailbox
        self._answers: dict[str, int] = {}
        self._ids: dict[str, dict[str, tuple[str, int]]] = {}

    def begin(self, message_id: str) -> None:
        """Begin a new answer of a message; ids that are too old by now die."""
        number = self._answers[message_id] = self._answers.get(message_id, 0) + 1
        keep = self._mailbox.settings.attachment_answers
        known = self._ids.get(message_id, {})
        self._ids[message_id] = {key: (part, made) for key, (part, made) in known.items() if number - made < keep}

    def new(self, message_id: str, part: MailPart) -> str:
        """Return a fresh id of a part; about as long as Gmail's."""
        token = "ANGjdJ" + base64.urlsafe_b64encode(self._core.random.randbytes(234)).decode()
        self._ids[message_id][token] = (part.part_id, self._answers[message_id])
        return token

    def part(self, message: StoredMessage, token: str) -> MailPart | None:
        """Return the part that an id stands for, None where the id is unknown or too old."""
        part_id, _ = self._ids.get(message.id, {}).get(token, ("?", 0))
        return next((part for part in message.mime.walk() if part.part_id == part_id), None)


def message_view(
    message: StoredMessage, ids: AttachmentIds, mailbox: Mailbox, form: str, wanted: Collection[str] = ()
) -> Json:
    """Return a message in one of the formats full, metadata, minimal, raw; ``wanted`` names the headers of metadata."""
    if message.given is not None:
        return _given_view(message, form, wanted)
    answer: Json = {
        "id": message.id,
        "threadId": message.thread_id,
        "labelIds": list(message.label_ids),
        "snippet": message.snippet,
        "historyId": str(message.history_id),
        "internalDate": str(message.internal_date),
        "sizeEstimate": len(message.raw),
    }
    if form == "raw":
        answer["raw"] = base64url(message.raw)
    elif form == "metadata":
        answer["payload"] = _headers_alone(message.mime.mime_type, _as_json(message.mime), wanted)
    elif form == "full":
        ids.begin(message.id)
        answer["payload"] = payload(message.mime, mailbox.settings.shape, lambda part: ids.new(message.id, part))
    return _without_empty(answer)


def thread_view(
    view: ThreadView, ids: AttachmentIds, mailbox: Mailbox, form: str, wanted: Collection[str] = ()
) -> Json:
    """Return threads.get's answer."""
    messages = [message_view(message, ids, mailbox, form, wanted) for message in view.messages]
    return _without_empty({"id": view.id, "historyId": str(view.history_id), "messages": messages})


def modified_view(message: StoredMessage) -> Json:
    """Return what modify says of a message."""
    ids = list(message.label_ids)
    return _without_empty({"id": message.id, "threadId": message.thread_id, "labelIds": ids})


def record_view(record: Record, mailbox: Mailbox) -> Json:
    """Return a history record."""
    entries = []
    for change in record.changes:
        message: Json = {"id": change.message_id, "threadId": change.thread_id}
        if record.kind != "messagesDeleted":
            message["labelIds"] = _labels_in_record(change, mailbox)
        entry: Json = {"message": _without_empty(message)}
        if change.changed:
            entry["labelIds"] = list(change.changed)
        entries.append(entry)
    messages = [{"id": change.message_id, "threadId": change.thread_id} for change in record.changes]
    return {"id": str(record.id), "messages": messages, record.kind: entries}


def label_view(label: Any, messages: Sequence[StoredMessage]) -> Json:
    """Return labels.get's answer: the label with its four counters."""
    under = [message for message in messages if label.id in message.label_ids]
    unread = [message for message in under if "UNREAD" in message.label_ids]
    return {
        "id": label.id,
        "name": label.name,
        **label.settings,
        "type": label.type,
        "messagesTotal": len(under),
        "messagesUnread": len(unread),
        "threadsTotal": len({message.thread_id for message in under}),
        "threadsUnread": len({message.thread_id for message in unread}),
    }


def _given_view(message: StoredMessage, form: str, wanted: Collection[str]) -> Json:
    answer: Json = {**(message.given or {}), "labelIds": list(message.label_ids)}
    top = answer.pop("payload", None)
    if form == "full" and top is not None:
        answer["payload"] = top
    elif form == "metadata" and top is not None:
        answer["payload"] = _headers_alone(top.get("mimeType", ""), top.get("headers", []), wanted)
    return _without_empty(answer)


def _as_json(part: MailPart) -> list[Json]:
    return [{"name": name, "value": value} for name, value in part.headers]


def _headers_alone(mime_type: str, headers: Sequence[Json], wanted: Collection[str]) -> Json:
    names = {name.casefold() for name in wanted}
    kept = [header for header in headers if not names or header["name"].casefold() in names]
    return _without_empty({"mimeType": mime_type, "headers": kept})


def _labels_in_record(change: Change, mailbox: Mailbox) -> list[str]:
    message = mailbox.messages.get(change.message_id)
    if mailbox.settings.record_labels == "listing" and message is not None:
        return list(message.label_ids)
    return list(change.label_ids)


def _without_empty(answer: Json) -> Json:
    return {key: value for key, value in answer.items() if value != []}
