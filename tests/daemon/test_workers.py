from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.clock import SeededChance, SystemChance, SystemClock, VirtualClock
from bridge.daemon.workers import Worker, folder_for, serving, sign_on
from bridge.store import mailboxes, publications
from bridge.store.engine import Store, open_store
from bridge.store.migrate import migrate
from bridge.store.tables import Mailbox, Publication

from support import rows
from support.rows import NOW

CHILD = """\
import sys
from pathlib import Path

from bridge.clock import SystemChance, SystemClock
from bridge.daemon.workers import SERVICE, sign_on
from bridge.store import mailboxes, publications
from bridge.store.engine import open_store

store = open_store(sys.argv[1])
worker = sign_on(SERVICE, store, Path(sys.argv[2]), SystemClock(), SystemChance())
now = SystemClock().now()
with store.write() as session:
    mailboxes.claim_one(session, 1, owner=worker.name, now=now)
    publications.lease(session, 1, owner=f"{worker.name}/1", now=now)
print(worker.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give a database with two mailboxes, the first of which has a publication."""
    yield from _filled(f"sqlite:///{tmp_path / 'mailbridge.db'}")


def _filled(url: str) -> Iterator[Store]:
    migrate(url)
    store = open_store(url)
    with store.write() as session:
        rows.publication(session, rows.mailbox(session, "ada@acme.example"))
        rows.mailbox(session, "bob@acme.example")
    yield store
    store.close()


def _url(store: Store) -> str:
    return store.engine.url.render_as_string(hide_password=False)


@contextmanager
def another(store: Store, state: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start a program that takes the first mailbox and its publication; give its name and process."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, _url(store), str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.communicate()


def leases(store: Store) -> tuple[str, str]:
    with store.read() as session:
        return session.get_one(Mailbox, 1).lease, session.get_one(Publication, 1).lease


def here(store: Store, state: Path) -> Worker:
    return sign_on("sync", store, state, SystemClock(), SystemChance())


def test_what_a_killed_program_had_is_taken_up_at_once(store: Store, tmp_path: Path) -> None:
    with another(store, tmp_path) as (name, process):
        assert leases(store) == (name, f"{name}/1")
        process.kill()
        process.wait()
    worker = here(store, tmp_path)
    assert leases(store) == ("", "")
    assert [path.name for path in (tmp_path / "mailbridge.workers").iterdir()] == [worker.name]
    worker.sign_off()
    assert list((tmp_path / "mailbridge.workers").iterdir()) == []


@pytest.mark.parametrize("stopped", [False, True])
def test_nothing_is_taken_from_a_living_one_not_even_while_it_is_stopped(
    store: Store, tmp_path: Path, stopped: bool
) -> None:
    with another(store, tmp_path) as (name, process):
        if stopped:
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        worker = here(store, tmp_path)
        assert worker.take_over(store) == []
        assert leases(store) == (name, f"{name}/1")
        process.kill()
        process.wait()
        assert worker.take_over(store) == [name]
    assert leases(store) == ("", "")
    worker.sign_off()


def test_a_service_is_seen_as_long_as_it_lives(store: Store, tmp_path: Path) -> None:
    assert not serving(store, tmp_path)
    other = here(store, tmp_path)
    assert not serving(store, tmp_path), "a single pass is no service"
    with another(store, tmp_path) as (_, process):
        assert serving(store, tmp_path)
        assert other.take_over(store) == [], "to look takes nothing away"
        process.kill()
        process.wait()
    assert not serving(store, tmp_path)
    other.sign_off()


def test_two_in_one_process_leave_each_other_alone(store: Store, tmp_path: Path) -> None:
    first, second = here(store, tmp_path), here(store, tmp_path)
    with store.write() as session:
        mailboxes.claim_one(session, 1, owner=first.name, now=NOW)
    assert second.take_over(store) == []
    first.sign_off()
    assert second.take_over(store) == []
    assert leases(store) == (first.name, ""), "who ends in order gives back what it had itself"
    second.sign_off()


def test_only_the_leases_of_the_dead_are_given_back(store: Store, tmp_path: Path) -> None:
    with another(store, tmp_path) as (_, process):
        process.kill()
        process.wait()
    with store.write() as session:
        mailboxes.claim_one(session, 2, owner="another-machine", now=NOW)
    here(store, tmp_path).sign_off()
    with store.read() as session:
        assert [box.lease for box in mailboxes.everyone(session)] == ["", "another-machine"]


def test_a_copied_folder_proves_nothing(store: Store, tmp_path: Path) -> None:
    with another(store, tmp_path) as (name, process):
        folder = tmp_path / "mailbridge.workers"
        shutil.copytree(folder, tmp_path / "copy")
        shutil.rmtree(folder)
        (tmp_path / "copy").rename(folder)
        here(store, tmp_path).sign_off()
        assert leases(store) == (name, f"{name}/1")
        process.kill()
        process.wait()


def test_a_file_that_a_crash_left_empty_proves_nothing(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "mailbridge.workers"
    folder.mkdir()
    (folder / "half").touch()
    with store.write() as session:
        mailboxes.claim_one(session, 1, owner="half", now=NOW)
    here(store, tmp_path).sign_off()
    assert leases(store) == ("half", "")


@pytest.mark.parametrize(("boot", "taken"), [("virtual", True), ("another", False)])
def test_beside_postgresql_only_this_running_of_the_machine_is_known(
    postgres_url: str, tmp_path: Path, boot: str, taken: bool
) -> None:
    class Machine(VirtualClock):
        def boot(self) -> str:
            return boot

    for store in _filled(postgres_url):
        dead = sign_on("sync", store, tmp_path, Machine(NOW), SeededChance(1))
        with store.write() as session:
            publications.lease(session, 1, owner=f"{dead.name}/1", now=NOW)
        assert dead.lock is not None
        os.close(dead.lock)
        worker = sign_on("sync", store, tmp_path, VirtualClock(NOW), SeededChance(2))
        assert leases(store) == ("", "" if taken else f"{dead.name}/1")
        worker.sign_off()


def test_without_a_place_for_its_file_it_works_all_the_same(store: Store, tmp_path: Path) -> None:
    (tmp_path / "mailbridge.workers").write_text("in the way")
    worker = here(store, tmp_path)
    assert (worker.folder, worker.lock, worker.take_over(store)) == (None, None, [])
    worker.sign_off()


def test_where_the_files_lie(tmp_path: Path) -> None:
    assert folder_for("/var/lib/mailbridge/mailbridge.db", None) == Path("/var/lib/mailbridge/mailbridge.workers")
    assert folder_for(None, tmp_path) == tmp_path / "mailbridge.workers"
    assert folder_for(None, None) is None


def test_the_files_are_for_their_owner_alone(store: Store, tmp_path: Path) -> None:
    worker = here(store, tmp_path)
    assert worker.folder is not None
    assert stat.S_IMODE(worker.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((worker.folder / worker.name).stat().st_mode) == 0o600
    worker.sign_off()
