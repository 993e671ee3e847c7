"""The engine: SQLite as measured (WAL, FULL, BEGIN IMMEDIATE, a read mode), or PostgreSQL, behind one class.

A *write* session holds SQLite's write lock from its first statement, so a session never fails in its middle because
another one committed; a *read* session never waits for a writer and must not write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

from bridge.errors import StoreDamaged, StoreError, StoreLocked

_BUSY = 30.0
_PLACES = 20
_DISCREET: dict[str, Any] = {"hide_parameters": True}  # an error's text goes into the log, and rows hold subjects


class Store:
    """A database and its two kinds of session.

    ``noted`` is called with the number of each counted write once its intent is committed and before its request
    leaves; False means that the request must not leave (see ``bridge.store.epoch``).
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.noted: Callable[[int], bool] = _noted_nowhere
        self._reader = reading(engine)

    @property
    def dialect(self) -> str:
        """The name of its kind: "sqlite" or "postgresql"."""
        return self.engine.dialect.name

    @property
    def durable(self) -> bool:
        """Whether what is committed is on the disk at once, and not soon."""
        if self.dialect != "sqlite":
            return True
        with self.read() as session:
            return bool(session.connection().exec_driver_sql("PRAGMA synchronous").scalar())

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session whose changes are committed at the end, all or none.

        Raises:
            StoreLocked: another process held the database for longer than ``busy_timeout``.
            StoreDamaged: its file is damaged.
            StoreError: the database cannot be used (disk full, no server).
        """
        with said_clearly(self.engine), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that sees one state of the database and must not write; the database refuses a change.

        Raises:
            StoreError: as ``write``.
        """
        with said_clearly(self.engine), Session(self._reader, expire_on_commit=False) as session:
            yield session

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _noted_nowhere(number: int) -> bool:
    return True


def open_store(url: str, *, busy_timeout: float = _BUSY) -> Store:
    """Open the database of a SQLAlchemy URL; a SQLite file is made, readable by its owner alone.

    Args:
        url: ``sqlite:////path/to/file`` or ``postgresql://...``.
        busy_timeout: how many seconds to wait for a SQLite file that another process holds.

    Raises:
        StoreError: the file cannot be made or opened.
    """
    return Store(make_engine(url, foreign_keys=True, busy_timeout=busy_timeout))


def make_engine(url: str, *, foreign_keys: bool, busy_timeout: float = _BUSY) -> Engine:
    """Make an engine; migrations need one without enforced foreign keys.

    A batch change of a parent table would empty its children otherwise.

    Raises:
        StoreError: the URL is none that the bridge can use, or the SQLite file cannot be made.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(parsed)
    make_private(Path(parsed.database or ""))
    engine = create_engine(parsed.set(drivername="sqlite"), pool_size=_PLACES, max_overflow=_PLACES, **_DISCREET)
    _prepare_sqlite(engine, foreign_keys=foreign_keys, busy_timeout=busy_timeout)
    return engine


def reading(engine: Engine) -> Engine:
    """Return the engine as one whose transactions see one state of the database and cannot change it."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine.execution_options(bridge_read=True)


def parse_url(url: str) -> URL:
    """Read a database's URL.

    Raises:
        StoreError: it is no URL, or of a database that the bridge cannot use.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(
            "store.url cannot be read as a URL. Use sqlite:////path/to/file or postgresql://user@host/name."
        ) from error
    backend = parsed.get_backend_name()
    if backend == "postgresql" or (backend == "sqlite" and parsed.database and parsed.database != ":memory:"):
        return parsed
    what = "no file" if backend == "sqlite" else repr(backend)
    raise StoreError(f"store.url names {what}. Use sqlite:////path/to/file or postgresql://user@host/name.")


def make_private(path: Path) -> None:
    """Make a file that its owner alone can read, where there is none.

    Raises:
        StoreError: it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The database {path} cannot be opened: {error.strerror}. Check store.url and who owns the folder."
        ) from error


def _postgresql(url: URL) -> Engine:
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=_PLACES,
            max_overflow=_PLACES,
            pool_pre_ping=True,
            **_DISCREET,
        )
    except ModuleNotFoundError as error:
        raise StoreError(
            "PostgreSQL needs the package psycopg. Install mailbridge with its extra: gmail-confluence-bridge[postgres]"
        ) from error


def _prepare_sqlite(engine: Engine, *, foreign_keys: bool, busy_timeout: float) -> None:
    pragmas = (
        f"busy_timeout={round(busy_timeout * 1000)}",  # first: the next one waits for other processes too
        "journal_mode=WAL",
        "synchronous=FULL",
        f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
    )

    @event.listens_for(engine, "connect")
    def connect(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        read = connection.get_execution_options().get("bridge_read", False)
        if connection.info.get("bridge_read", False) is not read:
            connection.exec_driver_sql(f"PRAGMA query_only={'ON' if read else 'OFF'}")
            connection.info["bridge_read"] = read
        connection.exec_driver_sql("BEGIN" if read else "BEGIN IMMEDIATE")


@contextmanager
def said_clearly(engine: Engine) -> Iterator[None]:
    """Turn what the database says inside the block into a sentence.

    Raises:
        StoreLocked: another process holds the database.
        StoreDamaged: its file is damaged.
        StoreError: it cannot be used.
    """
    try:
        yield
    except OperationalError as error:
        if "locked" in str(error.orig):
            raise StoreLocked("Another process holds the database. Is a second daemon or a backup at work?") from error
        raise StoreError(f"The database cannot be used: {error.orig}.") from error
    except DatabaseError as error:
        if "malformed" in str(error.orig) or "not a database" in str(error.orig):
            raise damaged(engine, str(error.orig)) from error
        raise


def damaged(engine: Engine, how: str) -> StoreDamaged:
    """Return the error of a damaged file, which names the newest backup beside it."""
    file = Path(engine.url.database or "")
    backups = [path for path in file.parent.glob(f"{file.name}.before-*") if path.suffix != ".partial"]
    newest = max(backups, key=lambda path: path.stat().st_mtime, default=None)
    where = f"The newest beside it is {newest}." if newest is not None else "There is none beside it."
    return StoreDamaged(
        f"The database file {file} is damaged ({how}). It was left as it is. Stop the service, move the file and its "
        f"-wal and -shm aside, and put the newest backup in its place. {where}"
    )
