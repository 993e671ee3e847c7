"""Reads one thread from Gmail, whole, and makes it a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.errors import Refused
from bridge.gmail import Gmail
from bridge.mail import payload
from bridge.model import Body, File, Message, Thread

_FALLBACK_TEXT = "This mail could not be read. The original is in the mailbox."


def read_thread(gmail: Gmail, thread_id: str, *, owner: str) -> Thread:
    """Fetch a thread and parse it; body text behind an attachment id is fetched with it.

    Raises:
        errors.RemoteError: Gmail failed; ``NotFound`` where the thread is gone.
    """
    answer = gmail.thread(thread_id)
    fetched: dict[str, bytes] = {}
    for message in _messages(answer):
        for part_id, attachment_id in payload.wants(message):
            fetched[attachment_id] = _text(gmail, str(message.get("id", "")), part_id, attachment_id)
    return payload.thread(answer, owner=owner, fetched=fetched)


def read_plainly(gmail: Gmail, thread_id: str) -> Thread:
    """Fetch a thread and take only its headers and snippets: for one whose parsing ended the process twice.

    Raises:
        errors.RemoteError: Gmail failed.
    """
    answer = gmail.thread(thread_id)
    shallow = {**answer, "messages": [_without_parts(message) for message in _messages(answer)]}
    thread = payload.thread(shallow)
    return replace(thread, messages=tuple(_with_snippet(message) for message in thread.messages))


def _text(gmail: Gmail, message_id: str, part_id: str, attachment_id: str) -> bytes:
    try:
        return gmail.attachment(message_id, attachment_id)
    except Refused:
        # The id has died already; the part's id has not.
        fresh = dict(payload.wants(gmail.message(message_id)))
        return gmail.attachment(message_id, fresh[part_id]) if part_id in fresh else b""


def _messages(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = answer.get("messages")
    return [m for m in listed if isinstance(m, Mapping)] if isinstance(listed, list) else []


def _without_parts(message: Mapping[str, Any]) -> dict[str, Any]:
    found = message.get("payload")
    top = found if isinstance(found, Mapping) else {}
    wanted = {"from", "to", "cc", "subject", "date", "message-id"}
    kept = [h for h in top.get("headers") or () if isinstance(h, Mapping) and str(h.get("name", "")).lower() in wanted]
    return {**message, "payload": {"partId": "", "mimeType": "text/plain", "headers": kept, "body": {"size": 0}}}


def _with_snippet(message: Message) -> Message:
    text = f"{message.snippet}\n\n{_FALLBACK_TEXT}" if message.snippet else _FALLBACK_TEXT
    files: tuple[File, ...] = ()
    return replace(message, bodies=(Body("text", text, ""),), files=files)
