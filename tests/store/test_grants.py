from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from bridge.store import accounts, grants
from bridge.store.grants import REFRESH_LEASE
from bridge.store.tables import Grant, GrantState

from support import rows
from support.rows import NOW, after


@pytest.fixture
def grant(session: Session) -> Grant:
    return rows.grant(session, rows.account(session), "atlassian", scopes="read write", generation=3)


def lease(session: Session, grant: Grant, owner: str, now: datetime = NOW) -> bool:
    return grants.lease(session, grant.id or 0, owner=owner, now=now)


def test_of_account_and_find(session: Session, grant: Grant) -> None:
    other = rows.account(session, "bob@acme.example")
    theirs = rows.grant(session, other, "google")
    google = rows.grant(session, accounts.by_id(session, grant.account_id), "google")
    assert grants.of_account(session, grant.account_id) == {"atlassian": grant, "google": google}
    assert grants.of_account(session, other.id or 0) == {"google": theirs}
    assert grants.find(session, grant.account_id, "google") is google
    assert grants.find(session, other.id or 0, "atlassian") is None


def test_by_subject(session: Session, grant: Grant) -> None:
    assert grants.by_subject(session, "atlassian", grant.subject) is grant
    assert grants.by_subject(session, "google", grant.subject) is None


def test_everyone_by_account_and_provider(session: Session) -> None:
    ada, bob = rows.account(session), rows.account(session, "bob@acme.example")
    last, second, first = (rows.grant(session, *of) for of in ((bob, "google"), (ada, "google"), (ada, "atlassian")))
    assert grants.everyone(session) == [first, second, last]


def test_quiet_are_the_living_ones_not_refreshed_lately(session: Session) -> None:
    ada, bob = rows.account(session), rows.account(session, "bob@acme.example")
    old = rows.grant(session, ada, "atlassian", refreshed_at=after(days=-31))
    rows.grant(session, ada, "google", refreshed_at=after(days=-30))
    rows.grant(session, bob, "google", refreshed_at=after(days=-99), state=GrantState.NEEDS_CONSENT)
    assert grants.quiet(session, after(days=-30)) == [old]


@pytest.mark.parametrize("values", [{"subject": "another"}, {"account": "bob@acme.example"}])
def test_an_account_and_a_subject_have_one_grant(session: Session, grant: Grant, values: dict[str, str]) -> None:
    """One account has no two grants at a provider; one person of a provider belongs to no two accounts."""
    if "account" in values:
        owner, subject = rows.account(session, values["account"]), grant.subject
    else:
        owner, subject = accounts.by_id(session, grant.account_id), values["subject"]
    with pytest.raises(IntegrityError):
        rows.grant(session, owner, "atlassian", subject=subject)


def test_one_owner_refreshes_at_a_time(session: Session, grant: Grant) -> None:
    assert [lease(session, grant, "one"), lease(session, grant, "two"), lease(session, grant, "one")] == [
        True,
        False,
        True,
    ]
    session.refresh(grant)
    assert (grant.refresh_owner, grant.refresh_until) == ("one", NOW + REFRESH_LEASE)
    assert [lease(session, grant, "two", now) for now in (after(seconds=90), after(seconds=91))] == [False, True]
    assert not lease(session, grant, "one", after(seconds=92))


def test_a_lease_from_before_the_clock_was_set_back_is_over(session: Session, grant: Grant) -> None:
    assert lease(session, grant, "one", after(days=1))
    assert lease(session, grant, "two")


@pytest.mark.parametrize("now", [after(days=-1), after(seconds=-90), NOW, after(seconds=90), after(seconds=91)])
def test_free_says_what_lease_would(session: Session, grant: Grant, now: datetime) -> None:
    assert grants.free(grant, NOW)
    lease(session, grant, "one")
    session.refresh(grant)
    assert grants.free(grant, now) is lease(session, grant, "two", now)


def test_release_is_the_owners(session: Session, grant: Grant) -> None:
    lease(session, grant, "one")
    grants.release(session, grant.id or 0, owner="two")
    assert not lease(session, grant, "two")
    grants.release(session, grant.id or 0, owner="one")
    session.refresh(grant)
    assert (grant.refresh_owner, grant.refresh_until, grant.generation) == ("", None, 3)
    assert lease(session, grant, "two")


def test_needs_consent(session: Session, grant: Grant) -> None:
    lease(session, grant, "one")
    assert grants.needs_consent(session, grant.id or 0, "invalid_grant", after(hours=1), generation=3)
    session.refresh(grant)
    assert (grant.state, grant.reason, grant.state_since) == (
        GrantState.NEEDS_CONSENT,
        "invalid_grant",
        after(hours=1),
    )
    assert (grant.refresh_owner, grant.refresh_until, grant.sealed) == ("", None, "sealed")


@pytest.mark.parametrize("generation", [2, 4])
def test_a_failure_of_other_tokens_changes_nothing(session: Session, grant: Grant, generation: int) -> None:
    assert not grants.needs_consent(session, grant.id or 0, "invalid_grant", after(hours=1), generation=generation)
    session.refresh(grant)
    assert (grant.state, grant.reason, grant.state_since) == (GrantState.LIVE, "", NOW)


def test_the_first_reason_stays(session: Session, grant: Grant) -> None:
    grants.needs_consent(session, grant.id or 0, "invalid_grant", after(hours=1), generation=3)
    assert not grants.needs_consent(session, grant.id or 0, "another", after(hours=2), generation=3)
    session.refresh(grant)
    assert (grant.reason, grant.state_since) == ("invalid_grant", after(hours=1))


@pytest.mark.parametrize(("scopes", "kept"), [("read", "read"), ("", "read write")])
def test_renewed_keeps_the_new_tokens(session: Session, grant: Grant, scopes: str, kept: str) -> None:
    lease(session, grant, "one")
    assert renewed(session, grant, 3, scopes)
    session.refresh(grant)
    assert (grant.sealed, grant.expires_at, grant.scopes, grant.generation) == ("newer", after(hours=2), kept, 4)
    assert (grant.refreshed_at, grant.last_used_at) == (after(hours=1), after(hours=1))
    assert (grant.refresh_owner, grant.refresh_until) == ("", None)


def test_renewed_does_not_replace_newer_tokens(session: Session, grant: Grant) -> None:
    assert renewed(session, grant, 3)
    assert not renewed(session, grant, 3, sealed="older")
    session.refresh(grant)
    assert (grant.sealed, grant.generation) == ("newer", 4)


def renewed(session: Session, grant: Grant, generation: int, scopes: str = "", *, sealed: str = "newer") -> bool:
    return grants.renewed(
        session,
        grant.id or 0,
        generation=generation,
        sealed=sealed,
        expires_at=after(hours=2),
        scopes=scopes,
        now=after(hours=1),
    )
