from __future__ import annotations

import pytest
from sqlalchemy.exc import NoResultFound
from sqlmodel import Session

from bridge.store import accounts

from support.rows import NOW, after


def test_ensure_makes_an_account_once(session: Session) -> None:
    made = accounts.ensure(session, "Ada@Acme.example", NOW, name="Ada")
    again = accounts.ensure(session, "ada@acme.EXAMPLE", after(days=1), name="Somebody")
    assert made is again
    assert (made.address, made.name, made.role, made.paused, made.created_at) == (
        "ada@acme.example",
        "Ada",
        "member",
        False,
        NOW,
    )


def test_by_address_in_any_case(session: Session) -> None:
    made = accounts.ensure(session, "ada@acme.example", NOW)
    assert accounts.by_address(session, "ADA@acme.example") is made
    assert accounts.by_address(session, "bob@acme.example") is None


def test_by_id(session: Session) -> None:
    made = accounts.ensure(session, "ada@acme.example", NOW)
    assert accounts.by_id(session, made.id or 0) is made
    with pytest.raises(NoResultFound):
        accounts.by_id(session, 10**9)


def test_everyone_by_address(session: Session) -> None:
    for address in ("bob@acme.example", "ada@acme.example"):
        accounts.ensure(session, address, NOW)
    assert [account.address for account in accounts.everyone(session)] == ["ada@acme.example", "bob@acme.example"]
