"""The database fails under the daemon: no room, held by another process, damaged, or of a newer program."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import select
from structlog.testing import capture_logs

from bridge.cli.output import exit_code
from bridge.daemon.stepped import SteppedEngine
from bridge.errors import StoreError, StoreLocked
from bridge.store.engine import Store
from bridge.store.mailboxes import Settled
from bridge.store.tables import Mailbox, Write, WriteState
from bridge.sync.mailbox import sync_mailbox

from support.installation import Installation
from support.served import PATIENCE, Served, at_work, served, service_of, until
from support.standing import standing
from support.stories import ADA, BEN, Story, story
from support.thread_t3 import assert_expected_t3, send_t3

COMMAND = Path(sys.executable).with_name("mailbridge")
FULL = "The database cannot be used: database or disk is full."
HELD = "Another process holds the database. Is a second daemon or a backup at work?"

HOLD = """\
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


class Disk:
    """A disk on which a database may get no further page while it is full; pages are made small, so that it matters."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.engine.dispose()
        with closing(sqlite3.connect(store.engine.url.database or "", isolation_level=None)) as raw:
            raw.execute("PRAGMA journal_mode=DELETE")
            raw.execute("PRAGMA page_size=512")
            raw.execute("VACUUM")
            raw.execute("PRAGMA journal_mode=WAL")
        self._pages = 2**30
        event.listen(store.engine, "connect", lambda connection, record: self._limit(connection))
        self.room()

    def fill(self, spare: int = 0) -> None:
        """Leave room for so many pages; they have 512 bytes."""
        with self._store.read() as session:
            self._pages = int(session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()) + spare
        self._store.engine.dispose()

    def room(self) -> None:
        """Make room."""
        self._pages = 2**30
        self._store.engine.dispose()

    def _limit(self, connection: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={self._pages}")


def passes_whatever_comes(company: Story, count: int) -> list[str]:
    """Let the product work as the daemon does, which goes on after a failure; return what the mailboxes' passes met."""
    met: list[str] = []

    def work(box: Mailbox) -> Settled:
        try:
            return sync_mailbox(company.bridge, box)
        except StoreError as error:
            met.append(str(error))
            raise

    engine = SteppedEngine(company.dispatch, work, company.clock, begin=lambda name, run: run())
    with capture_logs():
        for _ in range(count):
            company.clock.advance(60)
            engine.tick()
    return met


def assert_nothing_was_sent_that_is_not_on_disk(company: Story) -> None:
    """Assert that there is an intent for every request that changed Confluence."""
    with company.company.oauth.store.read() as session:
        intents = [row for row in session.exec(select(Write)) if row.state in (WriteState.SENT, WriteState.DONE)]
    assert len(company.world.core.journal.writes()) <= len(intents)


@pytest.mark.scenario("A43e")
@pytest.mark.parametrize("spare", [0, 2, 4, 6])
def test_a_full_disk_loses_nothing_and_all_goes_on_when_there_is_room(tmp_path: Path, spare: int) -> None:
    """Wherever in a thread the room ends, nothing is sent without an intent on the disk."""
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        first, _, _ = send_t3(company)
        company.label(ADA, first[ADA][1])
        disk = Disk(company.company.oauth.store)
        disk.fill(spare)
        assert set(passes_whatever_comes(company, 9)) == {FULL}
        assert_nothing_was_sent_that_is_not_on_disk(company)
        disk.room()
        passes_whatever_comes(company, 12)
        company.passes(1)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as found:
        yield found


@pytest.mark.scenario("A43e")
def test_the_daemon_says_that_it_is_degraded_and_that_it_works_again(site: Served) -> None:
    said: list[str] = []
    with capture_logs() as lines, site.opened() as opened:
        site.connect(opened, ADA)
        service = service_of(opened)
        service.notifier.status = said.append  # type: ignore[method-assign]
        disk = Disk(opened.store)
        with at_work(service):
            until(lambda: [line for line in lines if line["event"] == "running"], "the start")
            disk.fill()
            site.mail("Release plan", "x" * 100_000)
            until(lambda: said, "word that it is degraded")
            assert said == [f"Degraded, nothing is written. {FULL}"]
            assert site.titles() == []
            disk.room()
            until(lambda: len(said) == 2, "word that it works")
            assert said[1] == "Looking at mailboxes."
            with opened.store.write() as session:
                session.connection().exec_driver_sql("UPDATE mailbox SET due_at = '2020-01-01 00:00:00.000000'")
            until(lambda: site.titles() == ["Release plan"], "the page")
    told = [line["problem"] for line in lines if line["event"] == "the database cannot be used"]
    assert FULL in told
    assert [line["event"] for line in lines].count("the database works again") >= 1


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Hold a database in another process, as a backup or a forgotten session would."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield
    finally:
        process.kill()
        process.communicate()


def impatient(store: Store) -> None:
    """Have it wait 10 ms for others, not half a minute."""
    event.listen(store.engine, "connect", lambda connection, record: connection.execute("PRAGMA busy_timeout=10"))
    store.engine.dispose()


def test_a_database_that_another_process_holds_is_waited_for(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        first, _, _ = send_t3(company)
        company.label(ADA, first[ADA][1])
        impatient(company.company.oauth.store)
        with held(tmp_path / "mailbridge.db"):
            for _ in range(3):
                company.clock.advance(60)
                with pytest.raises(StoreLocked, match=HELD.replace("?", r"\?")):
                    company.dispatch.tick()
        assert company.world.core.journal.writes() == []
        company.passes(2)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


class Holder:
    """Has another process take the database right after a request took effect, so that its result cannot be kept."""

    def __init__(self, database: Path, operation: str) -> None:
        self._database, self._operation = database, operation
        self.connection: sqlite3.Connection | None = None

    def before(self, request: Any, operation: str, person: str) -> None:
        """Change nothing."""

    def after(self, request: Any, operation: str, person: str, response: Any) -> Any:
        """Take it, once."""
        if operation == self._operation and self.connection is None:
            self.connection = sqlite3.connect(self._database, isolation_level=None)
            self.connection.execute("BEGIN IMMEDIATE")
        return response


@pytest.mark.parametrize("operation", ["createPage", "createAttachment", "updatePage", "createFooterComment"])
def test_a_result_that_could_not_be_kept_is_found_again(tmp_path: Path, operation: str) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        first, _, _ = send_t3(company)
        company.label(ADA, first[ADA][1])
        impatient(company.company.oauth.store)
        holder = Holder(tmp_path / "mailbridge.db", operation)
        company.world.core.faults.append(holder)
        assert set(passes_whatever_comes(company, 3)) == {HELD}
        assert holder.connection is not None
        holder.connection.close()
        passes_whatever_comes(company, 12)
        company.passes(1)
        assert standing(company.world).empty_drafts == (operation == "createPage")
        company.wiki.drafts().clear()
        _assert_t3(company)
        assert company.again_from_scratch() == []


def _assert_t3(company: Story) -> None:
    (page,) = company.wiki.pages
    assert (page.status, page.version.number, sorted(page.labels)) == ("current", 1, ["mail"])
    assert len(company.wiki.comments) == 2
    assert {file.name: len(file.versions) for file in company.wiki.wiki.files_on(page.id)} == {
        "timeline.png": 1,
        "plan.pdf": 1,
    }


def mailbridge(here: Installation, command: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command on an installation; the client secrets are there."""
    folder = here.config.parent
    for name in ("google_client_secret", "atlassian_client_secret"):
        (folder / name).write_text("secret\n")
        (folder / name).chmod(0o600)
    environ = {"MAILBRIDGE_CONFIG": str(here.config), "STATE_DIRECTORY": str(folder), "PATH": "/usr/bin:/bin"}
    environ["CREDENTIALS_DIRECTORY"] = str(folder)
    return subprocess.run(
        [COMMAND, command], env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    made = Installation.make(tmp_path)
    made.store.close()
    return made


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file that a person would call the database or its copies."""
    return {path.name: path.read_bytes() for path in folder.glob("mailbridge.db*") if path.is_file()}


def test_a_damaged_file_is_said_with_the_backup_named_and_nothing_overwritten(here: Installation) -> None:
    folder = here.config.parent
    file = folder / "mailbridge.db"
    backup = folder / "mailbridge.db.before-0003"
    shutil.copy(file, backup)
    file.write_bytes(file.read_bytes()[:8192] + b"\xff" * 8192 + file.read_bytes()[16384:])
    before = contents(folder)
    done = mailbridge(here, "run")
    assert done.returncode == 65
    assert done.stderr.startswith(f"The database file {file} is damaged (")
    assert done.stderr.endswith(
        "It was left as it is. Stop the service, move the file and its -wal and -shm aside, and put the newest backup "
        f"in its place. The newest beside it is {backup}.\n"
    )
    assert {name: data for name, data in contents(folder).items() if name in before} == before


@pytest.mark.scenario("A46d")
def test_an_old_program_refuses_a_newer_schema_in_one_sentence(here: Installation) -> None:
    folder = here.config.parent
    with closing(sqlite3.connect(folder / "mailbridge.db")) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = 'from the future'")
    before = contents(folder)
    done = mailbridge(here, "run")
    assert done.returncode == 78
    assert done.stderr == (
        "The database was written by a newer version of mailbridge. Install that version again; nothing was changed.\n"
    )
    assert contents(folder)["mailbridge.db"] == before["mailbridge.db"]


def test_a_held_database_has_an_exit_code_of_its_own() -> None:
    assert exit_code(StoreLocked(HELD)) == 11
