"""The only file that commits a write's state: intended, sent, done, failed.

``begin`` commits the intent as *sent* before the request leaves. Whatever happens after that, the row tells the next
attempt what to do: send, look first, or wait until the settle time is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlmodel import Session, col, select

from bridge.errors import RemoteError, Temporary
from bridge.store.tables import Write, WriteState

Next = Literal["send", "look", "wait", "done"]

_SKEW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Intent:
    """What is to be written, before it is a row: see ``Write``. ``settle`` is in seconds."""

    publication_id: int
    kind: str
    target: str
    account_id: int
    key: str
    settle: float
    title: str = ""
    entry_id: int | None = None
    attachment_id: int | None = None
    mailbox_id: int | None = None
    round: int = 0


def begin(session: Session, intent: Intent, now: datetime) -> tuple[Write, Next]:
    """Return the row of a write and what must happen next; where that is "send", it is marked as sent already."""
    row = find(session, intent.publication_id, intent.kind, intent.target, intent.round)
    if row is None:
        row = Write(
            publication_id=intent.publication_id,
            entry_id=intent.entry_id,
            attachment_id=intent.attachment_id,
            mailbox_id=intent.mailbox_id,
            kind=intent.kind,
            target=intent.target,
            round=intent.round,
            account_id=intent.account_id,
            key=intent.key,
        )
        session.add(row)
    if row.state in (WriteState.DONE, WriteState.GIVEN_UP):
        return row, "done"
    if row.state is WriteState.SENT:
        return row, _after_sent(row, intent, now)
    _send(row, intent, now)
    return row, "send"


def send_again(session: Session, row_id: int, intent: Intent, now: datetime) -> Write:
    """Mark a write as sent anew, after a look has not found it."""
    row = session.get_one(Write, row_id)
    _send(row, intent, now)
    return row


def done(session: Session, row_id: int, remote_id: str) -> Write:
    """Mark a write as done; what it brought is stored by the caller in the same transaction."""
    row = session.get_one(Write, row_id)
    row.state, row.remote_id, row.status, row.answer = WriteState.DONE, remote_id, 200, ""
    return row


def failed(session: Session, row_id: int, error: RemoteError) -> None:
    """Keep what came back. A lost answer leaves the write *sent*, to be looked for; a passing fault plans it anew."""
    row = session.get_one(Write, row_id)
    row.status, row.answer = error.answer.status, (error.answer.reason or error.answer.text)[:500]
    if error.maybe_applied:
        return
    row.state = WriteState.PLANNED if isinstance(error, Temporary) else WriteState.FAILED


def find(session: Session, publication_id: int, kind: str, target: str, round: int = 0) -> Write | None:
    """Return the row of a write, None before it was intended."""
    query = select(Write).where(
        Write.publication_id == publication_id, Write.kind == kind, Write.target == target, Write.round == round
    )
    return session.exec(query).first()


def of_publication(session: Session, publication_id: int) -> list[Write]:
    """Return the writes of a publication in the order in which they were intended."""
    return list(session.exec(select(Write).where(Write.publication_id == publication_id).order_by(col(Write.id))))


def _after_sent(row: Write, intent: Intent, now: datetime) -> Next:
    settle = timedelta(seconds=intent.settle)
    if row.look_after is None or now >= row.look_after:
        return "look"
    if row.look_after > now + 2 * settle + _SKEW:
        row.look_after = now + settle  # the clock was set back
    return "wait"


def _send(row: Write, intent: Intent, now: datetime) -> None:
    row.state = WriteState.SENT
    row.sent_at = now
    row.look_after = now + timedelta(seconds=intent.settle)
    row.account_id = intent.account_id
    row.title = intent.title or row.title
    row.tries += 1
