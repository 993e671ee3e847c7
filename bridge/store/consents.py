"""Consents under way: what must be remembered between the link and the redirect. Good once, and for ten minutes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from bridge.errors import Provider
from bridge.store.tables import Consent

LIFE = timedelta(minutes=10)
"""How long a person may take from the link to the redirect, and from there to a choice."""

KEPT = timedelta(days=1)
"""How long an answered or forgotten one stays, so that its link still gets a true sentence."""


def add(
    session: Session,
    state_digest: str,
    *,
    provider: Provider,
    address: str,
    sealed: str,
    browser: str,
    now: datetime,
) -> None:
    """Remember a link that was given out; clear away those of yesterday.

    Args:
        session: a write session.
        state_digest: SHA-256 of the link's ``state``, which itself is never kept.
        provider: where it leads.
        address: whose connection it is.
        sealed: the PKCE verifier.
        browser: the session of the browser that may answer, '' where any may.
        now: the instant.
    """
    session.exec(delete(Consent).where(col(Consent.created_at) < now - KEPT))
    session.add(
        Consent(
            state_digest=state_digest,
            provider=provider,
            address=address,
            sealed=sealed,
            session=browser,
            created_at=now,
            expires_at=now + LIFE,
        )
    )


def by_digest(session: Session, state_digest: str) -> Consent | None:
    """Return a consent, None where no such link was given out."""
    return session.exec(select(Consent).where(Consent.state_digest == state_digest)).first()


def take(session: Session, consent_id: int, now: datetime) -> bool:
    """Use a consent up; return False where another answer was first, or its time is over."""
    done = session.exec(
        update(Consent)
        .where(col(Consent.id) == consent_id, col(Consent.used_at).is_(None), col(Consent.expires_at) > now)
        .values(used_at=now)
    )
    return bool(done.rowcount)


def wait_for_choice(
    session: Session, consent_id: int, choices: Sequence[dict[str, str]], sealed: str, now: datetime
) -> None:
    """Keep sealed tokens until their person has chosen a site; a choice has ``id``, ``url`` and ``name``."""
    row = session.get_one(Consent, consent_id)
    row.outcome, row.choices, row.sealed, row.expires_at = "choose site", list(choices), sealed, now + LIFE


def choose(session: Session, consent_id: int) -> bool:
    """Take a waiting choice; return False where another answer was first."""
    done = session.exec(
        update(Consent)
        .where(col(Consent.id) == consent_id, col(Consent.outcome) == "choose site")
        .values(outcome="choosing")
    )
    return bool(done.rowcount)


def end(session: Session, consent_id: int, outcome: str, detail: str) -> None:
    """Write down how a consent ended ("connected" or "failed") and the sentence for its person; forget its secrets."""
    row = session.get_one(Consent, consent_id)
    row.outcome, row.detail, row.sealed, row.choices = outcome, detail, "", []
