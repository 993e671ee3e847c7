"""One function for each call of Gmail's API that the sandbox knows: a ``Call`` in, the answer's object or None out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from werkzeug.datastructures import MultiDict

from bridge.sandbox import gmail_errors as errors
from bridge.sandbox.gmail_errors import ApiError
from bridge.sandbox.gmail_labels import Label, LabelNameInvalid, LabelNameTaken
from bridge.sandbox.gmail_payload import base64url
from bridge.sandbox.gmail_search import anywhere, matches
from bridge.sandbox.gmail_state import HIDDEN, Json, Mailbox, Record, StoredMessage
from bridge.sandbox.gmail_views import (
    AttachmentIds,
    label_view,
    message_view,
    modified_view,
    record_view,
    thread_view,
)

_LABEL_FIELDS = ("messageListVisibility", "labelListVisibility", "color")
_FORMATS = {"threads": ("full", "metadata", "minimal"), "messages": ("full", "metadata", "minimal", "raw")}
_MAX_LABELS = 100


@dataclass(frozen=True, slots=True)
class Call:
    """One request after its checks: whose mailbox, the ids in the path, the query, the body, whether metadata alone."""

    mailbox: Mailbox
    attachment_ids: AttachmentIds
    path: dict[str, str]
    query: MultiDict[str, str]
    body: Json
    metadata_scope: bool
    now: datetime


def get_profile(call: Call) -> Json:
    """users.getProfile."""
    mailbox = call.mailbox
    return {
        "emailAddress": mailbox.person.address,
        "messagesTotal": len(mailbox.messages),
        "threadsTotal": len(mailbox.by_thread),
        "historyId": str(mailbox.history_id),
    }


def list_labels(call: Call) -> Json:
    """users.labels.list: not paged, and without counters."""
    return {"labels": [label.short() for label in call.mailbox.labels]}


def get_label(call: Call) -> Json:
    """users.labels.get."""
    return label_view(_label(call), list(call.mailbox.messages.values()))


def create_label(call: Call) -> Json:
    """users.labels.create."""
    settings = {name: call.body[name] for name in _LABEL_FIELDS if name in call.body}
    try:
        return call.mailbox.labels.create(str(call.body.get("name", "")), settings).short()
    except LabelNameInvalid:
        raise ApiError(errors.invalid_argument("Invalid label name")) from None
    except LabelNameTaken:
        raise ApiError(errors.label_exists()) from None


def patch_label(call: Call) -> Json:
    """users.labels.patch and update: the id never changes."""
    label = _own_label(call)
    try:
        if "name" in call.body:
            call.mailbox.labels.rename(label.id, str(call.body["name"]))
    except LabelNameInvalid:
        raise ApiError(errors.invalid_argument("Invalid label name")) from None
    except LabelNameTaken:
        raise ApiError(errors.label_exists()) from None
    label.settings.update({name: call.body[name] for name in _LABEL_FIELDS if name in call.body})
    return label.short()


def delete_label(call: Call) -> None:
    """users.labels.delete."""
    call.mailbox.delete_label(_own_label(call).id)


def list_threads(call: Call) -> Json:
    """users.threads.list: newest first."""
    newest: dict[str, StoredMessage] = {}
    for message in _found(call):
        newest.setdefault(message.thread_id, message)
    history = call.mailbox.thread_history
    rows = [{"id": key, "snippet": m.snippet, "historyId": str(history[key])} for key, m in newest.items()]
    return _page(call, "threads", rows)


def get_thread(call: Call) -> Json:
    """users.threads.get: every message, drafts and trash too."""
    form, wanted = _format(call, "threads")
    view = call.mailbox.read(call.path["id"])
    if view is None:
        raise ApiError(errors.not_found())
    return thread_view(view, call.attachment_ids, call.mailbox, form, wanted)


def modify_thread(call: Call) -> Json:
    """users.threads.modify: every message that is there now."""
    message_ids = call.mailbox.by_thread.get(call.path["id"])
    if message_ids is None:
        raise ApiError(errors.not_found())
    _modify(call, list(message_ids))
    messages = [modified_view(call.mailbox.messages[message_id]) for message_id in message_ids]
    return {"id": call.path["id"], "messages": messages}


def list_messages(call: Call) -> Json:
    """users.messages.list: newest first."""
    rows = [{"id": message.id, "threadId": message.thread_id} for message in _found(call)]
    return _page(call, "messages", rows)


def get_message(call: Call) -> Json:
    """users.messages.get."""
    form, wanted = _format(call, "messages")
    return message_view(_message(call, "id"), call.attachment_ids, call.mailbox, form, wanted)


def modify_message(call: Call) -> Json:
    """users.messages.modify."""
    message = _message(call, "id")
    _modify(call, [message.id])
    return modified_view(message)


def get_attachment(call: Call) -> Json:
    """users.messages.attachments.get: bytes and size, nothing else."""
    message = _message(call, "messageId")
    if call.path["id"] in message.fixed_files:
        return message.fixed_files[call.path["id"]]
    part = call.attachment_ids.part(message, call.path["id"])
    if part is None or part.content is None:
        raise ApiError(errors.invalid_argument("Invalid attachment token"))
    return {"size": len(part.content), "data": base64url(part.content)}


def list_history(call: Call) -> Json:
    """users.history.list: what came after startHistoryId, oldest first; the current id on every page."""
    mailbox, start = call.mailbox, call.query.get("startHistoryId", "")
    token = call.query.get("pageToken", "")
    if start in mailbox.scripted_history:
        return mailbox.scripted_history[start][token]
    if not start.isascii() or not start.isdigit():
        raise ApiError(errors.invalid_argument("Missing/invalid parameter: startHistoryId"))
    mailbox.drop_old_history(call.now)
    if int(start) < mailbox.forgotten:
        raise ApiError(errors.not_found())
    answer: Json = {"historyId": str(mailbox.history_id)}
    after, empty = _history_place(token, int(start), mailbox.settings.empty_history_pages)
    if empty:
        return {"nextPageToken": f"{after}-{empty - 1}", **answer}
    records = [record for record in mailbox.records if record.id > after and _wanted(call, record)]
    size = _size(call)
    if records:
        answer["history"] = [record_view(record, mailbox) for record in records[:size]]
    if len(records) > size:
        answer["nextPageToken"] = f"{records[size - 1].id}-0"
    return answer


def watch(call: Call) -> Json:
    """users.watch: the answer alone; nothing is pushed."""
    if not str(call.body.get("topicName", "")).startswith("projects/"):
        raise ApiError(errors.invalid_argument("Invalid topicName"))
    until = round((call.now + timedelta(days=7)).timestamp() * 1000)
    call.mailbox.watching = dict(call.body)
    return {"historyId": str(call.mailbox.history_id), "expiration": str(until)}


def stop(call: Call) -> None:
    """users.stop."""
    call.mailbox.watching = None


def _label(call: Call) -> Label:
    label = call.mailbox.labels.get(call.path["id"])
    if label is None:
        raise ApiError(errors.not_found())
    return label


def _own_label(call: Call) -> Label:
    label = _label(call)
    if label.type == "system":
        raise ApiError(errors.invalid_argument("Invalid delete request" if not call.body else "Cannot update label"))
    return label


def _message(call: Call, key: str) -> StoredMessage:
    message = call.mailbox.messages.get(call.path[key])
    if message is None:
        raise ApiError(errors.not_found())
    return message


def _format(call: Call, kind: str) -> tuple[str, list[str]]:
    form = call.query.get("format", "full").casefold()
    if form not in _FORMATS[kind]:
        raise ApiError(errors.invalid_argument(f"Invalid value at 'format': {form}"))
    if call.metadata_scope and form in ("full", "raw"):
        raise ApiError(errors.forbidden(f"Metadata scope doesn't allow format {form.upper()}"))
    return form, call.query.getlist("metadataHeaders")


def _modify(call: Call, message_ids: list[str]) -> None:
    add, remove = (list(call.body.get(key, [])) for key in ("addLabelIds", "removeLabelIds"))
    if len(add) > _MAX_LABELS or len(remove) > _MAX_LABELS or not (add or remove):
        raise ApiError(errors.invalid_argument("No label add or removes specified" if not add else "Too many labels"))
    if any(label_id not in call.mailbox.labels for label_id in (*add, *remove)):
        raise ApiError(errors.invalid_argument("labelId not found"))
    fixed = call.mailbox.check_by_hand((*add, *remove))
    if fixed:
        raise ApiError(errors.invalid_argument(f"Invalid label: {fixed}"))
    call.mailbox.modify(message_ids, add, remove)


def _found(call: Call) -> list[StoredMessage]:
    query, labels = call.query.get("q", ""), set(call.query.getlist("labelIds"))
    if call.metadata_scope and query:
        raise ApiError(errors.forbidden("Metadata scope does not support 'q' parameter"))
    for label_id in labels:
        if label_id not in call.mailbox.labels:
            raise ApiError(errors.invalid_argument(f"Invalid label: {label_id}"))
    hidden_too = call.query.get("includeSpamTrash") == "true" or bool(labels & HIDDEN) or anywhere(query)
    found = [
        message
        for message in call.mailbox.messages.values()
        if labels <= set(message.label_ids)
        and (hidden_too or not message.hidden)
        and matches(call.mailbox, message, query)
    ]
    return sorted(found, key=lambda message: (message.internal_date, message.id), reverse=True)


def _page(call: Call, key: str, rows: list[dict[str, str]]) -> Json:
    token, size = call.query.get("pageToken", ""), _size(call)
    if token and not token.isdigit():
        raise ApiError(errors.invalid_argument("Invalid pageToken"))
    place = int(token or 0)
    answer: Json = {"resultSizeEstimate": len(rows)}
    if rows[place : place + size]:
        answer = {key: rows[place : place + size], **answer}
    if len(rows) > place + size:
        answer["nextPageToken"] = f"{place + size:020d}"
    return answer


def _size(call: Call) -> int:
    text = call.query.get("maxResults", "100")
    if not text.isdigit() or int(text) == 0:
        raise ApiError(errors.invalid_argument(f"Invalid value at 'max_results': {text}"))
    return min(int(text), 500)


def _history_place(token: str, start: int, empty_pages: int) -> tuple[int, int]:
    if not token:
        return start, empty_pages
    after, _, empty = token.partition("-")
    if not after.isdigit() or not empty.isdigit():
        raise ApiError(errors.invalid_argument("Invalid pageToken"))
    return int(after), int(empty)


def _wanted(call: Call, record: Record) -> bool:
    singular = {"messagesAdded": "messageAdded", "messagesDeleted": "messageDeleted"}
    plain = {"labelsAdded": "labelAdded", "labelsRemoved": "labelRemoved"}
    types = call.query.getlist("historyTypes")
    if types and {**singular, **plain}[record.kind] not in types:
        return False
    label_id = call.query.get("labelId", "")
    return not label_id or any(label_id in change.label_ids for change in record.changes)
