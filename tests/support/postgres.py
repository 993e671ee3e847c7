"""A throw-away PostgreSQL for tests: one server for each worker process, one empty database for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

_SETTINGS = "-c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=50"
_AS_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


class Postgres:
    """A server that listens on a socket in a folder of its own."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self._programs = programs
        self._numbers = itertools.count(1)

    def start(self) -> None:
        """Make the files and start; the server refuses to run as root, so root becomes nobody for it."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody", "nogroup")
        self._run("initdb", "-D", "data", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C")
        options = f"-k {self.folder} {_SETTINGS}"
        self._run("pg_ctl", "-D", "data", "-w", "-t", "60", "-l", "log", "-o", options, "start")

    def stop(self) -> None:
        """Stop at once and remove the files."""
        self._run("pg_ctl", "-D", "data", "-w", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)

    def create_database(self) -> str:
        """Make an empty database and return its SQLAlchemy URL."""
        name = f"bridge{next(self._numbers)}"
        self._execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def drop_database(self, url: str) -> None:
        """Remove a database of ``create_database``, also under open connections."""
        name = url.removeprefix("postgresql+psycopg://postgres@/").partition("?")[0]
        self._execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)

    def _run(self, program: str, *arguments: str) -> None:
        prefix = _AS_NOBODY if os.geteuid() == 0 else []
        command = [*prefix, str(self._programs / program), *arguments]
        with (self.folder / "setup.log").open("ab") as log:  # a pipe would be held open by the server
            done = subprocess.run(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
            )
        if done.returncode != 0:
            pytest.fail(f"{program} failed: {(self.folder / 'setup.log').read_text(errors='replace')[-2000:]}")


def find_programs() -> Path | None:
    """Return the folder of PostgreSQL's server programs, the newest where Debian has several; None: not installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("pg_ctl")
    for folder in [*([Path(on_path).parent] if on_path else []), *debian]:
        if all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
            return folder
    return None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """Give a running server, or skip where PostgreSQL is not installed."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: apt install postgresql).")
    folder = Path(tempfile.mkdtemp(prefix="mailbridge-postgres-"))  # tmp_path is closed to nobody, and too long
    server = Postgres(folder, programs)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """Give the SQLAlchemy URL of an empty database that is this test's own."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)
