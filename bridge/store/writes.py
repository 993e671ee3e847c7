"""The only file that commits a write's state: intended, sent, done, failed.

``begin`` commits the intent as *sent* before the request leaves. Whatever happens after that, the row tells the next
attempt what to do: send, look first, or wait until the settle time is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlmodel import Session, col, select

from bridge.errors import RemoteError, Temporary
from bridge.store.epoch import SETTLES, Epoch
from bridge.store.tables import Write, WriteState

Next = Literal["send", "look", "wait", "done"]

LOOKS_APART = timedelta(minutes=1)
"""From one look in vain to the next: a list may miss for a while what was made."""

EVER = datetime(2000, 1, 1, tzinfo=UTC)
"""Before anything of ours was ever sent."""

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


@dataclass(frozen=True, slots=True)
class Tick:
    """The instant on a clock that nobody sets: ``seconds`` since an arbitrary start, which ``boot`` names.

    Two ticks of one boot can be compared; '' is comparable with nothing.
    """

    boot: str = ""
    seconds: float = 0.0


def begin(session: Session, intent: Intent, now: datetime, tick: Tick = Tick()) -> tuple[Write, Next]:
    """Return the row of a write and what must happen next; where that is "send", it is marked as sent already."""
    row = find(session, intent.publication_id, intent.kind, intent.target, intent.round)
    row = row or _new(session, intent)
    if row.state in (WriteState.DONE, WriteState.GIVEN_UP):
        return row, "done"
    if row.state is WriteState.SENT:
        return row, _after_sent(row, intent, now, tick)
    _send(row, intent, now, tick)
    return row, "send"


def presume(session: Session, intent: Intent, gap: Epoch) -> None:
    """Take a write for one whose answer was lost, as it may have been made in a gap of the database's knowledge.

    It is looked for like any such one, once nothing from the gap can take effect any more. What was sent since, and
    what was done or given up, is left as it is.
    """
    row = find(session, intent.publication_id, intent.kind, intent.target, intent.round) or _new(session, intent)
    begun = gap.entered
    if begun is None or row.state not in (WriteState.PLANNED, WriteState.FAILED):
        return
    if row.sent_at is not None and row.sent_at >= begun:
        return
    row.state, row.sent_at, row.look_after = WriteState.SENT, gap.since or EVER, begun + SETTLES
    row.sent_boot, row.sent_tick, row.looks = "", 0.0, 0
    row.tries += 1


def send_again(session: Session, row_id: int, intent: Intent, now: datetime, tick: Tick = Tick()) -> Write:
    """Mark a write as sent anew, after a look has not found it."""
    row = session.get_one(Write, row_id)
    _send(row, intent, now, tick)
    return row


def not_found(session: Session, row_id: int, looks: int, now: datetime) -> datetime | None:
    """Count a look in vain; return when to look once more, None where it was looked for often enough to send again.

    Args:
        session: a write session.
        row_id: the write.
        looks: how many looks in vain prove that it did not take effect.
        now: the instant.
    """
    row = session.get_one(Write, row_id)
    row.looks += 1
    if row.looks >= looks:
        return None
    row.look_after = now + LOOKS_APART
    return row.look_after


def unchanged(session: Session, row_id: int, tries: int) -> bool:
    """Say whether a sent write is as it was when it counted so many requests: no answer came, nobody sent it again."""
    row = session.get_one(Write, row_id)
    return row.state is WriteState.SENT and row.tries == tries


def still_mine(session: Session, row_id: int, tries: int, intent: Intent, now: datetime, tick: Tick) -> bool:
    """Begin the settle time anew for a request that is about to leave late; False where somebody has taken it over.

    Args:
        session: a write session; its caller has lengthened the publication's lease in it.
        row_id: the write.
        tries: its count of requests when this one was intended.
        intent: as intended.
        now: the instant.
        tick: likewise.
    """
    if not unchanged(session, row_id, tries):
        return False
    row = session.get_one(Write, row_id)
    row.sent_at, row.look_after = now, now + timedelta(seconds=intent.settle)
    row.sent_boot, row.sent_tick = tick.boot, tick.seconds
    return True


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


def put_aside(session: Session, publication_id: int, name: str) -> None:
    """Keep the writes of a publication that begins anew under other targets, so that each can be made again.

    Args:
        session: a write session.
        publication_id: whose.
        name: what they belonged to; it becomes part of their targets.
    """
    for row in of_publication(session, publication_id):
        row.target, row.attachment_id = f"{row.target} ({name})", None
        if row.state is not WriteState.DONE:
            row.state = WriteState.GIVEN_UP


def find(session: Session, publication_id: int, kind: str, target: str, round: int = 0) -> Write | None:
    """Return the row of a write, None before it was intended."""
    query = select(Write).where(
        Write.publication_id == publication_id, Write.kind == kind, Write.target == target, Write.round == round
    )
    return session.exec(query).first()


def of_publication(session: Session, publication_id: int) -> list[Write]:
    """Return the writes of a publication in the order in which they were intended."""
    return list(session.exec(select(Write).where(Write.publication_id == publication_id).order_by(col(Write.id))))


def _new(session: Session, intent: Intent) -> Write:
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
    return row


def _after_sent(row: Write, intent: Intent, now: datetime, tick: Tick) -> Next:
    settle = timedelta(seconds=intent.settle)
    if tick.boot and tick.boot == row.sent_boot:
        # Both clocks must have come so far: one of them may have been set forward since.
        left = row.sent_tick + intent.settle - tick.seconds
        if left > 0 and (row.look_after is None or row.look_after <= now):
            row.look_after = now + timedelta(seconds=left)
    if row.look_after is None or now >= row.look_after:
        return "look"
    if row.look_after > now + 2 * settle + _SKEW:
        row.look_after = now + settle  # the clock was set back
    return "wait"


def _send(row: Write, intent: Intent, now: datetime, tick: Tick) -> None:
    row.state = WriteState.SENT
    row.sent_at = now
    row.sent_boot, row.sent_tick = tick.boot, tick.seconds
    row.look_after = now + timedelta(seconds=intent.settle)
    row.account_id = intent.account_id
    row.title = intent.title or row.title
    row.tries += 1
    row.looks = 0
