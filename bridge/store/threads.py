"""Touched threads: the durable queue of what must be looked at."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import and_, bindparam, case, delete, func, update
from sqlmodel import Session, col, select

from bridge.store.tables import Follow, TouchedThread
from bridge.store.upsert import insert

_NEXT_DUE = select(func.min(col(TouchedThread.due_at))).where(TouchedThread.mailbox_id == bindparam("of"))


def touch(
    session: Session, mailbox_id: int, thread_id: str, *, history_id: int, due_at: datetime, unsure: bool = False
) -> None:
    """Queue a thread, or queue it anew: its generation grows; the larger history id and the earlier time stay.

    One statement, since on PostgreSQL two processes may touch a thread, or touch and finish it, at once.
    """
    row = TouchedThread(mailbox_id=mailbox_id, thread_id=thread_id, history_id=history_id, due_at=due_at, unsure=unsure)
    fresh = insert(session, row)
    new, known = fresh.excluded, TouchedThread
    session.exec(
        fresh.on_conflict_do_update(
            index_elements=["mailbox_id", "thread_id"],
            set_={
                "history_id": case((new.history_id > known.history_id, new.history_id), else_=col(known.history_id)),
                "generation": col(known.generation) + 1,
                "due_at": case((new.due_at < known.due_at, new.due_at), else_=col(known.due_at)),
                "unsure": and_(col(known.unsure), new.unsure),
            },
        )
    )


def due(session: Session, mailbox_id: int, now: datetime, limit: int) -> list[TouchedThread]:
    """Return the threads whose time has come, the longest waiting first."""
    query = (
        select(TouchedThread)
        .where(TouchedThread.mailbox_id == mailbox_id, col(TouchedThread.due_at) <= now)
        .order_by(col(TouchedThread.due_at), col(TouchedThread.id))
        .limit(limit)
    )
    return list(session.exec(query))


def of_mailbox(session: Session, mailbox_id: int) -> list[TouchedThread]:
    """Return the whole queue of a mailbox."""
    query = select(TouchedThread).where(TouchedThread.mailbox_id == mailbox_id)
    return list(session.exec(query.order_by(col(TouchedThread.id))))


def next_due(session: Session, mailbox_id: int) -> datetime | None:
    """Return when the next thread's time comes, None for an empty queue."""
    earliest = session.exec(_NEXT_DUE, params={"of": mailbox_id}).one()
    return earliest


def begin(session: Session, row_id: int) -> int | None:
    """Count an attempt before a mail is parsed; return which attempt it is, from 1.

    None where the row is gone: this worker was away for longer than its lease, and another one has looked.
    """
    row = session.get(TouchedThread, row_id)
    if row is None:
        return None
    row.tries += 1
    return row.tries


def uncount(session: Session, row_id: int) -> None:
    """Take an attempt back: it ended for a reason that has nothing to do with the mail."""
    session.exec(
        update(TouchedThread)
        .where(col(TouchedThread.id) == row_id, col(TouchedThread.tries) > 0)
        .values(tries=col(TouchedThread.tries) - 1)
    )


def finish(session: Session, row_id: int, generation: int) -> None:
    """Take a thread off the queue; one that was touched again meanwhile stays, with no attempt counted."""
    gone = session.exec(
        delete(TouchedThread).where(col(TouchedThread.id) == row_id, col(TouchedThread.generation) == generation)
    )
    if not gone.rowcount:
        session.exec(update(TouchedThread).where(col(TouchedThread.id) == row_id).values(tries=0, failures=0))


def later(
    session: Session, row_id: int, due_at: datetime, generation: int, *, tries: int = 0, failures: int = 0
) -> None:
    """Look at a thread again at a time, unless it was touched again meanwhile (then it is due as that says).

    Args:
        session: a write session.
        row_id: the row.
        due_at: when.
        generation: as it was when the look began.
        tries: attempts that the mail itself may have ended.
        failures: how often in a row a provider failed.
    """
    untouched = col(TouchedThread.generation) == generation
    session.exec(
        update(TouchedThread)
        .where(col(TouchedThread.id) == row_id)
        .values(
            due_at=case((untouched, due_at), else_=col(TouchedThread.due_at)),
            tries=tries,
            failures=failures,
        )
    )


def wake(session: Session, mailbox_id: int, thread_id: str, now: datetime) -> None:
    """Queue a thread for now, whatever it waited for: its person answered, or the configuration changed.

    An answer of Gmail that is older than what was seen of the thread before is still known for stale.
    """
    query = select(func.max(col(Follow.history_id))).where(
        Follow.mailbox_id == mailbox_id, Follow.thread_id == thread_id
    )
    touch(session, mailbox_id, thread_id, history_id=session.exec(query).one() or 0, due_at=now)


def of_thread(session: Session, mailbox_id: int, thread_id: str) -> TouchedThread | None:
    """Return a thread's row in the queue, None where it is not queued."""
    query = select(TouchedThread).where(TouchedThread.mailbox_id == mailbox_id, TouchedThread.thread_id == thread_id)
    return session.exec(query).first()


def retry(session: Session, mailbox_id: int, thread_id: str, now: datetime) -> None:
    """Queue a thread for now as if nothing had failed before: somebody asks for it."""
    wake(session, mailbox_id, thread_id, now)
    session.exec(
        update(TouchedThread)
        .where(col(TouchedThread.mailbox_id) == mailbox_id, col(TouchedThread.thread_id) == thread_id)
        .values(tries=0, failures=0)
    )


def wake_queued(session: Session, mailbox_id: int, now: datetime, thread_ids: Iterable[str] | None = None) -> None:
    """Make queued threads of a mailbox due, all or some; a look that is under way does not put them off again."""
    awake = {"due_at": now, "generation": col(TouchedThread.generation) + 1}
    mine = update(TouchedThread).where(col(TouchedThread.mailbox_id) == mailbox_id).values(awake)
    if thread_ids is None:
        session.exec(mine)
        return
    wanted = sorted(set(thread_ids))
    for start in range(0, len(wanted), 500):
        session.exec(mine.where(col(TouchedThread.thread_id).in_(wanted[start : start + 500])))


def all_due(session: Session, now: datetime) -> None:
    """Make every queued thread due that would be later: the clock that their times were written by was set back."""
    session.exec(update(TouchedThread).where(col(TouchedThread.due_at) > now).values(due_at=now))


def drop(session: Session, mailbox_id: int, thread_id: str) -> None:
    """Take a thread off the queue: it waits for an answer now."""
    session.exec(
        delete(TouchedThread).where(
            col(TouchedThread.mailbox_id) == mailbox_id, col(TouchedThread.thread_id) == thread_id
        )
    )


def count(session: Session) -> int:
    """Return how many threads are queued in all mailboxes."""
    return session.exec(select(func.count()).select_from(TouchedThread)).one()
