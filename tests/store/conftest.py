from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session

from bridge.store.engine import Store, open_store
from bridge.store.migrate import migrate

KINDS = ["sqlite", "postgresql"]


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Give the URL of a SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'state' / 'bridge.db'}"


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest) -> str:
    """Give the URL of an empty database, of either kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """Give a migrated database of either kind."""
    yield from _migrated(url)


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """Give a migrated SQLite database that waits 50 ms for another process."""
    yield from _migrated(sqlite_url, busy_timeout=0.05)


@pytest.fixture(params=KINDS)
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """Give a session of either kind of database; the tables are empty, and what is written is undone at the end."""
    store: Store = request.getfixturevalue(f"lasting_{request.param}")
    with Session(store.engine, expire_on_commit=False) as opened:
        yield opened


@pytest.fixture(scope="session")
def lasting_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Give a database in which nothing is ever committed."""
    yield from _migrated(f"sqlite:///{tmp_path_factory.mktemp('store')}/bridge.db")


@pytest.fixture(scope="session")
def lasting_postgresql(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Give a database in which nothing is ever committed."""
    server = request.getfixturevalue("postgres_server")
    url = server.create_database()
    yield from _migrated(url)
    server.drop_database(url)


def _migrated(url: str, *, busy_timeout: float = 30.0) -> Iterator[Store]:
    migrate(url)
    opened = open_store(url, busy_timeout=busy_timeout)
    yield opened
    opened.close()
