"""Accounts: the people whom the bridge knows."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from bridge.store.tables import Account
from bridge.store.upsert import insert


def by_id(session: Session, account_id: int) -> Account:
    """Return an account that exists."""
    return session.get_one(Account, account_id)


def by_address(session: Session, address: str) -> Account | None:
    """Return the account of an address, in any case of letters; None where it never connected."""
    return session.exec(select(Account).where(Account.address == address.lower())).first()


def ensure(session: Session, address: str, now: datetime, name: str = "") -> Account:
    """Return the account of an address, made where there is none."""
    account = by_address(session, address)
    if account is None:
        row = insert(session, Account(address=address.lower(), name=name, created_at=now))
        session.exec(row.on_conflict_do_nothing(index_elements=["address"]))
        account = session.exec(select(Account).where(Account.address == address.lower())).one()
    return account


def everyone(session: Session) -> list[Account]:
    """Return all accounts by address."""
    return list(session.exec(select(Account).order_by(col(Account.address))))
