from __future__ import annotations

import builtins
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlmodel import col, select

from bridge.errors import StoreDamaged, StoreError, StoreLocked
from bridge.store.engine import Store, make_engine, open_store
from bridge.store.migrate import migrate, require_current
from bridge.store.tables import Account, Label

from support import rows
from support.rows import NOW


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@contextmanager
def held_elsewhere(url: str) -> Iterator[None]:
    """Hold a SQLite file as another process would."""
    with closing(sqlite3.connect(path_of(url), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def addresses(store: Store) -> list[str]:
    with store.read() as session:
        return list(session.exec(select(Account.address).order_by(col(Account.id))))


def test_sqlite_is_set_for_durability(sqlite_store: Store) -> None:
    with sqlite_store.write() as session:
        found = {
            name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 50}


def test_the_default_patience_is_thirty_seconds(sqlite_url: str) -> None:
    with closing(open_store(sqlite_url)) as store, store.read() as session:
        assert session.connection().exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 30_000


def test_migrations_get_no_enforced_foreign_keys(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url, foreign_keys=False)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 0
    engine.dispose()


def test_the_files_are_for_their_owner_alone(sqlite_store: Store, sqlite_url: str) -> None:
    with sqlite_store.write() as session:
        rows.account(session)
    folder = path_of(sqlite_url).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert modes == {"bridge.db": 0o600, "bridge.db-wal": 0o600, "bridge.db-shm": 0o600}


def test_dialect_names_the_database(store: Store, url: str) -> None:
    assert store.dialect == url.partition(":")[0].partition("+")[0]


def test_a_write_session_commits_all(store: Store) -> None:
    with store.write() as session:
        rows.account(session, "ada@acme.example")
        rows.account(session, "bob@acme.example")
    assert addresses(store) == ["ada@acme.example", "bob@acme.example"]


def test_a_write_session_that_fails_commits_nothing(store: Store) -> None:
    with pytest.raises(IntegrityError), store.write() as session:
        session.add_all([Account(address=address, created_at=NOW) for address in ("ada", "bob", "ada")])
    assert addresses(store) == []


def test_rows_can_be_read_after_their_session(store: Store) -> None:
    with store.write() as session:
        made = rows.account(session)
    assert (made.address, made.created_at) == ("ada@acme.example", NOW)


def test_a_read_session_does_not_wait_for_a_writer(store: Store) -> None:
    with store.write() as session:
        rows.account(session, "ada@acme.example")
    with store.write() as writing:
        rows.account(writing, "bob@acme.example")
        assert addresses(store) == ["ada@acme.example"]
    assert addresses(store) == ["ada@acme.example", "bob@acme.example"]


def test_a_read_session_sees_one_state(store: Store) -> None:
    with store.read() as reading:
        assert reading.exec(select(Account)).all() == []
        with store.write() as session:
            rows.account(session)
        assert reading.exec(select(Account)).all() == []
    assert addresses(store) == ["ada@acme.example"]


def test_a_read_session_cannot_write(store: Store) -> None:
    with pytest.raises((StoreError, DBAPIError), match=r"(?i)read-?only"), store.read() as session:
        rows.account(session)
    with store.write() as session:  # the same connection, taken from the pool again
        rows.account(session)
    assert addresses(store) == ["ada@acme.example"]


def test_foreign_keys_are_enforced(store: Store) -> None:
    with pytest.raises(IntegrityError), store.write() as session:
        rows.add(session, Label(mailbox_id=77, gmail_id="Label_1", name="Wiki"))


def test_times_come_back_aware_in_utc(store: Store) -> None:
    there = datetime(2026, 3, 3, 23, 5, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
    with store.write() as session:
        rows.add(session, Account(address="ada@acme.example", created_at=there))
    with store.read() as session:
        found = session.exec(select(Account.created_at)).one()
    assert (found, found.tzinfo) == (there, UTC)


def test_a_naive_time_is_refused(store: Store) -> None:
    with pytest.raises(StatementError, match="timezone"), store.write() as session:
        rows.add(session, Account(address="ada@acme.example", created_at=NOW.replace(tzinfo=None)))
    assert addresses(store) == []


def test_a_state_is_stored_by_its_value(store: Store) -> None:
    with store.write() as session:
        rows.follow(session, rows.mailbox(session))
        stored = session.connection().execute(text("SELECT state FROM follow")).scalar_one()
    assert stored == "following"


def test_a_database_that_another_process_holds(sqlite_store: Store, sqlite_url: str) -> None:
    with held_elsewhere(sqlite_url):
        with pytest.raises(StoreLocked, match="Another process holds"), sqlite_store.write() as session:
            rows.account(session)
        assert addresses(sqlite_store) == []
    with sqlite_store.write() as session:
        rows.account(session)
    assert addresses(sqlite_store) == ["ada@acme.example"]


def test_opening_waits_no_longer_than_it_is_told(sqlite_url: str) -> None:
    path_of(sqlite_url).parent.mkdir()
    path_of(sqlite_url).touch()
    store = open_store(sqlite_url, busy_timeout=0.01)
    with held_elsewhere(sqlite_url), pytest.raises(StoreLocked):
        addresses(store)
    store.close()


@pytest.mark.parametrize("damage", ["head", "middle", "short"])
def test_a_damaged_file_is_said_and_left_as_it_is(sqlite_url: str, damage: str) -> None:
    migrate(sqlite_url)
    file = path_of(sqlite_url)
    whole = file.read_bytes()
    broken = {
        "head": b"\0" * 100 + whole[100:],
        "middle": whole[:4096] + b"\xff" * (len(whole) - 4096),
        "short": whole[: len(whole) // 2],
    }[damage]
    file.write_bytes(broken)
    with pytest.raises(StoreDamaged, match=r"damaged.*There is none beside it\.$"):
        migrate_and_read(sqlite_url)
    for number, name in enumerate(("0003", "0007", "0009.partial")):
        backup = file.with_name(f"{file.name}.before-{name}")
        backup.write_bytes(whole)
        os.utime(backup, (number, number))
    with pytest.raises(StoreDamaged, match=r"The newest beside it is .*bridge\.db\.before-0007\.$"):
        migrate_and_read(sqlite_url)
    assert file.read_bytes() == broken


def test_damage_that_no_table_scan_would_meet_is_found_before_anything_is_written(sqlite_url: str) -> None:
    migrate(sqlite_url)
    file = path_of(sqlite_url)
    whole = file.read_bytes()
    with closing(sqlite3.connect(file)) as raw:
        root = raw.execute("SELECT rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = 'claim'").fetchone()[
            0
        ]
    page = (root - 1) * 4096
    broken = whole[:page] + b"\xff" * 64 + whole[page + 64 :]
    file.write_bytes(broken)
    with pytest.raises(StoreDamaged, match="damaged"):
        migrate(sqlite_url)
    assert file.read_bytes() == broken


def migrate_and_read(url: str) -> None:
    migrate(url)
    with closing(open_store(url)) as store, store.read() as session:
        for table in ("account", "event", "write"):
            session.connection().exec_driver_sql(f"SELECT count(*) FROM {table}").all()
        session.connection().exec_driver_sql("PRAGMA foreign_key_check").all()


@pytest.mark.parametrize("entrance", [migrate, require_current, open_store])
@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("mysql://root@localhost/bridge", "names 'mysql'"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("bridge.db", "cannot be read as a URL"),
        ("", "cannot be read as a URL"),
    ],
)
def test_an_unusable_url(given: str, says: str, entrance: Any) -> None:
    with pytest.raises(StoreError, match=rf"store\.url {says}.*sqlite:////path/to/file or postgresql://"):
        entrance(given)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot be opened: .*Check store\.url"):
        open_store(f"sqlite:///{tmp_path}/file/bridge.db")


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be used: unable to open"):
        migrate(f"sqlite:///{tmp_path}")


def test_no_server() -> None:
    with pytest.raises(StoreError, match="cannot be used"):
        migrate("postgresql://nobody@127.0.0.1:9/bridge?connect_timeout=2")


def test_postgresql_without_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "psycopg":
            raise ModuleNotFoundError(name)
        return whole(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(StoreError, match=r"gmail-confluence-bridge\[postgres\]"):
        open_store("postgresql://bridge@localhost/bridge")
