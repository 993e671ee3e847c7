from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.store import consents
from bridge.store.engine import Store, open_store
from bridge.store.migrate import migrate
from bridge.store.tables import Consent

NOW = datetime(2026, 4, 20, 9, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path}/x.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    migrate(url)
    made = open_store(url)
    yield made
    made.close()


def add(store: Store, digest: str = "d1", now: datetime = NOW) -> Consent:
    with store.write() as session:
        consents.add(session, digest, provider="google", address="ada@example.com", sealed="v", browser="", now=now)
    return row(store, digest)


def row(store: Store, digest: str = "d1") -> Consent:
    with store.read() as session:
        found = consents.by_digest(session, digest)
    assert found is not None
    return found


def test_it_is_taken_once_and_in_time(store: Store) -> None:
    made = add(store)
    assert made.expires_at == NOW + timedelta(minutes=10)
    with store.write() as session:
        assert not consents.take(session, made.id or 0, NOW + timedelta(minutes=10))
        assert consents.take(session, made.id or 0, NOW + timedelta(minutes=9))
        assert not consents.take(session, made.id or 0, NOW + timedelta(minutes=9))
    assert row(store).used_at == NOW + timedelta(minutes=9)


def test_a_choice_is_made_once(store: Store) -> None:
    made = add(store)
    site = {"id": "c", "url": "https://example.atlassian.net", "name": "example"}
    with store.write() as session:
        assert not consents.choose(session, made.id or 0)
        consents.wait_for_choice(session, made.id or 0, [site], "tokens", NOW + timedelta(minutes=5))
    waiting = row(store)
    assert (waiting.outcome, waiting.choices, waiting.sealed) == ("choose site", [site], "tokens")
    assert waiting.expires_at == NOW + timedelta(minutes=15)
    with store.write() as session:
        assert consents.choose(session, made.id or 0)
        assert not consents.choose(session, made.id or 0)


def test_at_its_end_its_secrets_are_forgotten(store: Store) -> None:
    made = add(store)
    with store.write() as session:
        consents.end(session, made.id or 0, "failed", "Nobody was there.")
    ended = row(store)
    assert (ended.outcome, ended.detail, ended.sealed, ended.choices) == ("failed", "Nobody was there.", "", [])


def test_yesterdays_are_cleared_away(store: Store) -> None:
    add(store, "old")
    add(store, "young", NOW + timedelta(hours=20))
    add(store, "new", NOW + timedelta(hours=25))
    with store.read() as session:
        assert consents.by_digest(session, "old") is None
        assert consents.by_digest(session, "young") is not None
