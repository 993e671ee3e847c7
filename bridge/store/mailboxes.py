"""Mailboxes: which are due, under whose lease, and how far each has been read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, or_, update
from sqlmodel import Session, col, select

from bridge.store.lapse import lapsed
from bridge.store.tables import Label, Mailbox

LEASE = timedelta(minutes=10)
"""How long a worker may hold a mailbox without a word; a stopped one's mailbox goes to another after it."""


_SETTLE = (
    Mailbox.__table__.update()  # type: ignore[attr-defined]
    .where(col(Mailbox.id) == bindparam("of"), col(Mailbox.lease) == bindparam("owner"))
    .values(
        due_at=bindparam("due"),
        lease="",
        lease_until=None,
        reason=bindparam("why"),
        tries=bindparam("tried"),
        looked_at=bindparam("now"),
    )
)

_IS_DUE = or_(col(Mailbox.due_at) <= bindparam("now"), col(Mailbox.due_at) > bindparam("far"))
_IS_FREE = or_(
    col(Mailbox.lease) == "",
    col(Mailbox.lease_until) < bindparam("now"),
    col(Mailbox.lease_until) > bindparam("latest"),
)
_ANY_DUE = select(col(Mailbox.id)).where(_IS_DUE, _IS_FREE).limit(1)
_WAITING = (
    select(col(Mailbox.id))
    .where(_IS_DUE, _IS_FREE)
    .order_by(col(Mailbox.due_at), col(Mailbox.id))
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)  # SQLite, which has one writer, leaves this out
    .cte("waiting")  # a plain subquery PostgreSQL may run more than once, and so take more than the limit
)
_CLAIM = (
    update(Mailbox)
    .where(col(Mailbox.id).in_(select(_WAITING.c.id)))
    .values(lease=bindparam("owner"), lease_until=bindparam("until"))
    .returning(Mailbox)
    .execution_options(synchronize_session=False, populate_existing=True)
)
# Built once: building these for each mailbox of each second was a quarter of an idle poll's cost.


@dataclass(frozen=True, slots=True)
class Settled:
    """How one pass of a mailbox ended: when it is due next; ``reason`` is '' where all went well."""

    mailbox_id: int
    due_at: datetime
    reason: str = ""
    tries: int = 0


def claim_due(session: Session, *, now: datetime, owner: str, limit: int, horizon: timedelta) -> list[Mailbox]:
    """Take the mailboxes that are due under the owner's lease, the longest waiting first, in one statement.

    A row that is due later than ``now + horizon`` is due too: the clock was set back. Paused people's are among them:
    their mail is looked at, and nothing is written.
    """
    values = {**_instants(now, horizon), "most": limit, "owner": owner, "until": now + LEASE}
    taken = session.exec(_CLAIM, params=values)
    return sorted(taken.scalars(), key=lambda box: (box.due_at, box.id))


def claim_one(session: Session, mailbox_id: int, *, owner: str, now: datetime) -> Mailbox | None:
    """Take one mailbox under the owner's lease, due or not; None while another worker has it, or where it is gone."""
    done = session.exec(
        update(Mailbox)
        .where(
            col(Mailbox.id) == mailbox_id,
            or_(col(Mailbox.lease) == owner, _is_free(now)),
        )
        .values(lease=owner, lease_until=now + LEASE)
    )
    return session.get_one(Mailbox, mailbox_id, populate_existing=True) if done.rowcount else None


def any_due(session: Session, *, now: datetime, horizon: timedelta) -> bool:
    """Say whether ``claim_due`` would find a mailbox; a read, so that an idle second takes no write lock."""
    return session.exec(_ANY_DUE, params=_instants(now, horizon)).first() is not None


def settle(session: Session, outcomes: Iterable[Settled], *, owner: str, now: datetime) -> None:
    """Give mailboxes back after a pass; one whose lease went to another meanwhile stays as it is.

    One that ``due_now`` made due during the pass stays due: what its person did may have come after the pass looked.
    """
    ended = {outcome.mailbox_id: outcome for outcome in outcomes}
    called = _made_due(session, list(ended), owner=owner, now=now)
    rows = [
        {
            "of": outcome.mailbox_id,
            "owner": owner,
            "due": called.get(outcome.mailbox_id, outcome.due_at),
            "why": outcome.reason,
            "tried": 0 if outcome.mailbox_id in called else outcome.tries,
            "now": now,
        }
        for outcome in ended.values()
    ]
    if rows:
        session.connection().execute(_SETTLE, rows)


def renew(session: Session, mailbox_id: int, *, owner: str, now: datetime) -> bool:
    """Lengthen a lease in the middle of a long pass; return False where it was lost."""
    done = session.exec(
        update(Mailbox)
        .where(col(Mailbox.id) == mailbox_id, col(Mailbox.lease) == owner)
        .values(lease_until=now + LEASE)
    )
    return bool(done.rowcount)


def due_now(session: Session, mailbox_id: int, now: datetime) -> None:
    """Make a mailbox due, for instance after its person connected again or answered."""
    session.exec(update(Mailbox).where(col(Mailbox.id) == mailbox_id).values(due_at=now, tries=0))


def all_due(session: Session, now: datetime) -> None:
    """Make every mailbox due that would be later: the clock that their times were written by was set back."""
    session.exec(update(Mailbox).where(col(Mailbox.due_at) > now).values(due_at=now))


def by_account(session: Session, account_id: int) -> Mailbox | None:
    """Return the mailbox of an account, None before Gmail was connected."""
    return session.exec(select(Mailbox).where(Mailbox.account_id == account_id)).first()


def everyone(session: Session) -> list[Mailbox]:
    """Return all mailboxes by address."""
    return list(session.exec(select(Mailbox).order_by(col(Mailbox.address))))


def labels(session: Session, mailbox_id: int) -> list[Label]:
    """Return the labels of a mailbox as last looked at, gone ones too."""
    return list(session.exec(select(Label).where(Label.mailbox_id == mailbox_id).order_by(col(Label.id))))


def save_labels(session: Session, mailbox_id: int, names: Mapping[str, str], now: datetime) -> None:
    """Remember the labels (Gmail id -> name) as they are now; one that is missing is marked gone, not deleted."""
    known = {label.gmail_id: label for label in labels(session, mailbox_id)}
    for gmail_id, name in names.items():
        label = known.pop(gmail_id, None)
        if label is None:
            session.add(Label(mailbox_id=mailbox_id, gmail_id=gmail_id, name=name))
        else:
            label.name, label.gone_at = name, None
    for label in known.values():
        label.gone_at = label.gone_at or now
    session.exec(update(Mailbox).where(col(Mailbox.id) == mailbox_id).values(labels_looked_at=now))


def _instants(now: datetime, horizon: timedelta) -> dict[str, datetime]:
    """Return what ``_IS_DUE`` and ``_IS_FREE`` compare with; the latter says what ``lapsed`` does."""
    return {"now": now, "far": now + horizon, "latest": now + 2 * LEASE}


def _is_free(now: datetime) -> ColumnElement[bool]:
    return lapsed(col(Mailbox.lease), col(Mailbox.lease_until), now, LEASE)


def _made_due(session: Session, ids: Sequence[int], *, owner: str, now: datetime) -> dict[int, datetime]:
    found: dict[int, datetime] = {}
    for start in range(0, len(ids), 500):
        query = select(Mailbox.id, Mailbox.due_at, Mailbox.lease_until).where(
            col(Mailbox.id).in_(ids[start : start + 500]), Mailbox.lease == owner, col(Mailbox.due_at) <= now
        )
        for mailbox_id, due_at, until in session.exec(query.with_for_update()):
            if mailbox_id is not None and until is not None and due_at > until - LEASE:
                found[mailbox_id] = due_at
    return found
