"""Brings a database to this program's schema at start: a backup copy of a SQLite file first, then one transaction.

Migrations run on an engine without enforced foreign keys, because a batch change of a parent table would silently
empty its children; ``PRAGMA foreign_key_check`` must find nothing before the commit.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from bridge.errors import SchemaTooNew, StoreError
from bridge.store.engine import damaged, make_engine, make_private, parse_url, reading, said_clearly

_LOCK = 7_160_311
_TOO_NEW = "The database was written by a newer version of mailbridge. Install that version again; nothing was changed."


def migrate(url: str) -> str | None:
    """Bring the database to the newest revision.

    Returns:
        The path of the backup copy that was made, or None where none was needed.

    Raises:
        SchemaTooNew: a newer program wrote it; nothing was changed.
        StoreDamaged: its file is damaged; nothing was changed.
        StoreError: it cannot be opened, or a row points to nothing after the migration (nothing was changed).
    """
    engine = make_engine(url, foreign_keys=False)
    config = _config()
    try:
        with said_clearly(engine), engine.connect() as connection:
            _check_file(engine, connection)
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            current = MigrationContext.configure(connection).get_current_revision()
            backup = _prepare(url, current, config)
            if current != ScriptDirectory.from_config(config).get_current_head():
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                _check_foreign_keys(connection)
            connection.commit()
    finally:
        engine.dispose()
    return backup


def require_current(url: str) -> None:
    """Make sure that a database can be read as it is, without changing it.

    Raises:
        SchemaTooNew: a newer program wrote it.
        StoreError: it is not there or empty, or an older program wrote it and the service has not been started since.
    """
    source = _file(url)
    if source is not None and not source.exists():
        raise StoreError(f"There is no database at {source}. Start the service once: mailbridge run")
    engine = make_engine(url, foreign_keys=False)
    scripts = ScriptDirectory.from_config(_config())
    try:
        with said_clearly(engine), reading(engine).connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    if current is None:
        raise StoreError("The database is empty. Start the service once: mailbridge run")
    if current not in {script.revision for script in scripts.walk_revisions()}:
        raise SchemaTooNew(_TOO_NEW)
    if current != scripts.get_current_head():
        raise StoreError(
            "The database was written by an older version of mailbridge. Restart the service; it brings it up to date."
        )


def check(connection: Connection) -> None:
    """Raise when the tables in code and in the database differ (used by a test)."""
    config = _config()
    config.attributes["connection"] = connection
    command.check(config)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("bridge.store") / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _prepare(url: str, current: str | None, config: Config) -> str | None:
    scripts = ScriptDirectory.from_config(config)
    if current is None or current == scripts.get_current_head():
        return None
    if current not in {script.revision for script in scripts.walk_revisions()}:
        raise SchemaTooNew(_TOO_NEW)
    source = _file(url)
    return None if source is None else str(_backup(source, source.with_name(f"{source.name}.before-{current}")))


def _file(url: str) -> Path | None:
    parsed = parse_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def _backup(source: Path, target: Path) -> Path:
    """Copy a database as one state of it; the copy has its name only once it is whole."""
    partial = target.with_name(f"{target.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        make_private(partial)
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(partial)) as new:
            old.backup(new)
        partial.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"The backup copy {target} could not be made: {error}. Nothing was changed. Is there room?"
        ) from error
    return target


def _check_file(engine: Engine, connection: Connection) -> None:
    """Look through a SQLite file before it is written to: what is damaged would only grow worse.

    Raises:
        StoreDamaged: it is damaged.
    """
    if connection.dialect.name != "sqlite":
        return
    found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
    if found != "ok":
        raise damaged(engine, found.splitlines()[-1])


def _check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    lost = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if lost:
        raise StoreError(f"The migration was not applied: {len(lost)} rows would point to nothing. Please report this.")
