"""Grants: one account's delegated tokens at one provider. A failure never deletes a row."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, update
from sqlmodel import Session, col, select

from bridge.errors import Provider
from bridge.store import followers
from bridge.store.lapse import lapsed
from bridge.store.tables import Grant, GrantState

REFRESH_LEASE = timedelta(seconds=90)
"""How long one process may take to refresh before another one tries."""


_OF_ACCOUNT = select(Grant).where(Grant.account_id == bindparam("of"))


def of_account(session: Session, account_id: int) -> dict[str, Grant]:
    """Return an account's grants by provider."""
    return {grant.provider: grant for grant in session.exec(_OF_ACCOUNT, params={"of": account_id})}


def find(session: Session, account_id: int, provider: Provider) -> Grant | None:
    """Return a grant, None where it was never given."""
    return session.exec(select(Grant).where(Grant.account_id == account_id, Grant.provider == provider)).first()


def by_subject(session: Session, provider: Provider, subject: str) -> Grant | None:
    """Return the grant of a person as the provider names them."""
    return session.exec(select(Grant).where(Grant.provider == provider, Grant.subject == subject)).first()


def everyone(session: Session) -> list[Grant]:
    """Return all grants."""
    return list(session.exec(select(Grant).order_by(col(Grant.account_id), col(Grant.provider))))


def quiet(session: Session, before: datetime) -> list[Grant]:
    """Return the living grants that were last refreshed before an instant; unused ones die at the provider."""
    query = select(Grant).where(col(Grant.refreshed_at) < before, col(Grant.state) == GrantState.LIVE)
    return list(session.exec(query.order_by(col(Grant.id))))


def free(grant: Grant, now: datetime) -> bool:
    """Say whether nobody holds a grant's lease, as ``lease`` decides it, without a transaction that writes."""
    until = grant.refresh_until
    return not grant.refresh_owner or until is None or not now <= until <= now + 2 * REFRESH_LEASE


def lease(session: Session, grant_id: int, *, owner: str, now: datetime) -> bool:
    """Take the right to refresh a grant; return False while another process has it."""
    done = session.exec(
        update(Grant)
        .where(
            col(Grant.id) == grant_id,
            or_(
                col(Grant.refresh_owner) == owner,
                lapsed(col(Grant.refresh_owner), col(Grant.refresh_until), now, REFRESH_LEASE),
            ),
        )
        .values(refresh_owner=owner, refresh_until=now + REFRESH_LEASE)
    )
    return bool(done.rowcount)


def release(session: Session, grant_id: int, *, owner: str) -> None:
    """Give the right back without new tokens."""
    session.exec(
        update(Grant)
        .where(col(Grant.id) == grant_id, col(Grant.refresh_owner) == owner)
        .values(refresh_owner="", refresh_until=None)
    )


def needs_consent(session: Session, grant_id: int, reason: str, now: datetime, *, generation: int) -> bool:
    """Mark that only the person can mend a grant; return False where it has newer tokens than the failure is about.

    Others who follow what they began are called, to go on in their stead.
    """
    done = session.exec(
        update(Grant)
        .where(
            col(Grant.id) == grant_id,
            col(Grant.generation) == generation,
            col(Grant.state) == GrantState.LIVE,
        )
        .values(state=GrantState.NEEDS_CONSENT, reason=reason, state_since=now, refresh_owner="", refresh_until=None)
    )
    if done.rowcount:
        followers.call_for(session, session.get_one(Grant, grant_id).account_id, now)
    return bool(done.rowcount)


def renewed(
    session: Session,
    grant_id: int,
    *,
    generation: int,
    sealed: str,
    expires_at: datetime,
    scopes: str,
    now: datetime,
) -> bool:
    """Keep refreshed tokens and give the lease back; return False where newer ones came meanwhile (nothing changes).

    Args:
        session: a write session.
        grant_id: whose.
        generation: of the tokens that were refreshed.
        sealed: the new ones.
        expires_at: when the access token ends.
        scopes: as the provider named them; '' leaves them as they are.
        now: the instant.
    """
    values: dict[str, object] = {"scopes": scopes} if scopes else {}
    done = session.exec(
        update(Grant)
        .where(col(Grant.id) == grant_id, col(Grant.generation) == generation)
        .values(
            sealed=sealed,
            expires_at=expires_at,
            generation=generation + 1,
            refreshed_at=now,
            last_used_at=now,
            refresh_owner="",
            refresh_until=None,
            **values,
        )
    )
    return bool(done.rowcount)
