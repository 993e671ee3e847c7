"""The one transaction in which a grant is kept: account, tokens, mailbox, and everything that waited for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from bridge.errors import Provider, WrongAccount
from bridge.oauth.context import OAuth
from bridge.oauth.exchange import Granted, TokenPair
from bridge.store import accounts, events, follows, grants, mailboxes, threads
from bridge.store.tables import Account, FollowState, Grant, GrantState, Mailbox

KIND = "grant"
BACKLOG_WAIT = timedelta(minutes=10)
"""How long a new mailbox waits for its person's answer about mail labelled before; then that mail is held."""

_PRODUCTS: dict[Provider, str] = {"google": "Gmail", "atlassian": "Confluence"}


def seal_pair(oauth: OAuth, pair: TokenPair, *, address: str, provider: Provider, kind: str = KIND) -> str:
    """Return tokens sealed for one account at one provider."""
    value = {
        "access": pair.access,
        "refresh": pair.refresh,
        "expires_at": pair.expires_at.isoformat(),
        "scopes": " ".join(sorted(pair.scopes)),
    }
    return oauth.seal.seal(value, account=address, provider=provider, kind=kind)


def open_pair(oauth: OAuth, sealed: str, *, address: str, provider: Provider, kind: str = KIND) -> TokenPair:
    """Return sealed tokens.

    Raises:
        SealError: the key at hand does not open them, or they are somebody else's.
    """
    value = oauth.seal.open(sealed, account=address, provider=provider, kind=kind)
    return TokenPair(
        access=str(value["access"]),
        refresh=str(value["refresh"]),
        expires_at=datetime.fromisoformat(str(value["expires_at"])),
        scopes=frozenset(str(value["scopes"]).split()),
    )


def keep(
    oauth: OAuth,
    session: Session,
    *,
    provider: Provider,
    address: str,
    granted: Granted,
    cloud_id: str = "",
    site_url: str = "",
) -> Account:
    """Keep a grant in the caller's write session.

    Raises:
        WrongAccount: this person belongs to another account here, or another person to this one; nothing is changed.
    """
    now = oauth.clock.now()
    account = accounts.ensure(session, address, now)
    assert account.id is not None
    grant = grants.find(session, account.id, provider)
    _check_person(session, account, grant, provider, granted.subject)
    sealed = seal_pair(oauth, granted.pair, address=account.address, provider=provider)
    if grant is None:
        grant = Grant(
            account_id=account.id,
            provider=provider,
            subject=granted.subject,
            sealed=sealed,
            state_since=now,
            refreshed_at=now,
            connected_at=now,
            generation=0,
        )
        session.add(grant)
    if grant.state is not GrantState.LIVE:
        grant.state_since = now
    grant.subject, grant.sealed, grant.state, grant.reason = granted.subject, sealed, GrantState.LIVE, ""
    grant.name, grant.scopes = granted.name, " ".join(sorted(granted.pair.scopes))
    grant.expires_at, grant.refreshed_at, grant.connected_at = granted.pair.expires_at, now, now
    grant.cloud_id, grant.site_url = cloud_id, site_url
    grant.generation += 1
    grant.refresh_owner, grant.refresh_until = "", None
    account.name = granted.name or account.name
    session.flush()
    _wake(oauth, session, account, provider, now)
    events.tell(session, now, "connected", account_id=account.id, outcome=provider)
    return account


def _check_person(session: Session, account: Account, grant: Grant | None, provider: Provider, subject: str) -> None:
    product = _PRODUCTS[provider]
    other = grants.by_subject(session, provider, subject)
    if other is not None and other.account_id != account.id:
        owner = accounts.by_id(session, other.account_id).address
        raise WrongAccount(
            f"The {product} account that signed in is connected here as {owner} already. Nothing was kept. "
            f"Sign in to {product} as the person of {account.address}, and start again."
        )
    if provider == "google" and grant is not None and grant.subject != subject:
        raise WrongAccount(
            f"{account.address} belongs to another person than the one who connected it before. Nothing was kept. "
            "Ask the operator: pages of the former person stand under this address."
        )


def _wake(oauth: OAuth, session: Session, account: Account, provider: Provider, now: datetime) -> None:
    """Make the mailbox due, and with it every thread that waited for this connection."""
    assert account.id is not None
    box = mailboxes.by_account(session, account.id)
    if box is None:
        if provider != "google":
            return
        box = Mailbox(account_id=account.id, address=account.address, due_at=now + BACKLOG_WAIT)
        session.add(box)
        session.flush()
    assert box.id is not None
    asked = box.backlog == "ask" and oauth.settings().safety.backlog == "ask"
    whole = sum(grant.state is GrantState.LIVE for grant in grants.of_account(session, account.id).values()) == 2
    if box.full_pass_at is not None or (whole and not asked):
        mailboxes.due_now(session, box.id, now)
    else:
        box.due_at = min(box.due_at, now + BACKLOG_WAIT)
    box.reason = ""
    waiting = {row.thread_id for row in threads.of_mailbox(session, box.id)}
    waiting |= {f.thread_id for f in follows.of_mailbox(session, box.id) if f.state is FollowState.NEEDS_SOMEBODY}
    for thread_id in sorted(waiting):
        threads.wake(session, box.id, thread_id, now)
