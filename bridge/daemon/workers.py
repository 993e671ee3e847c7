"""Which programs work on mailboxes: each is named in leases, in a way that lets its death be proven.

A program that was killed leaves its leases behind, and its mailboxes would wait for up to ten minutes. So each one
holds a lock (flock(2)) on a file of its own in a folder beside the database, for as long as it lives. The kernel takes
the lock away when the program ends, however it ends, and at no other time: not while it is stopped or hangs. Whoever
gets the lock of such a file has proven that its program is gone, gives its leases back and removes the file.

Two daemons with one database each hold a file; neither takes what the other has. Nothing is concluded from a file that
is not there (the program runs on another machine), that is a copy (its inode is another one: a restored folder), or,
beside PostgreSQL, that another running of a machine wrote: such leases run out.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge.clock import Chance, Clock
from bridge.store import leftover
from bridge.store.engine import Store

SERVICE = "service"
"""The kind of program that ``mailbridge run`` is."""

_SIZE = 256


@dataclass(frozen=True, slots=True)
class Worker:
    """A program at work.

    Args:
        name: what stands in its leases.
        folder: where the locked files lie, None where there is no place for them: its leases run out if it is killed.
        boot: the running of the machine (``Clock.boot``).
        lock: its locked file, open until the program ends or signs off.
    """

    name: str
    folder: Path | None
    boot: str
    lock: int | None = None

    def take_over(self, store: Store) -> list[str]:
        """Give back the leases of programs that are gone; return their names.

        Raises:
            StoreError: the database cannot be used; the next call does it.
        """
        gone: list[str] = []
        with _shut(self.folder) as folder:
            for path in sorted(folder.iterdir()) if folder is not None else ():
                with _of_the_dead(path, "" if store.dialect == "sqlite" else self.boot) as dead:
                    if not dead:
                        continue
                    with store.write() as session:
                        leftover.give_back(session, path.name)
                    path.unlink(missing_ok=True)
                    gone.append(path.name)
        return gone

    def sign_off(self) -> None:
        """End in order: nothing is under work any more. Who could not finish leaves this out, and its end is seen."""
        if self.lock is None or self.folder is None:
            return
        # The file goes before its lock, or somebody would find it unlocked.
        with contextlib.suppress(OSError):
            (self.folder / self.name).unlink(missing_ok=True)
        os.close(self.lock)


def folder_for(database: str | None, state: Path | None) -> Path | None:
    """Return the folder: beside a SQLite file, else in the folder of the state; None without either."""
    if database is not None:
        return Path(database).with_suffix(".workers")
    return state / "mailbridge.workers" if state is not None else None


def serving(store: Store, state: Path | None) -> bool:
    """Say whether a service of this machine is at work on a database, also where it cannot write to it."""
    with _shut(_folder(store, state)) as folder:
        return folder is not None and any(_is_held(path) for path in folder.glob(f"{SERVICE}-*"))


def sign_on(what: str, store: Store, state: Path | None, clock: Clock, chance: Chance) -> Worker:
    """Begin to work: take a name for leases, and give those of programs that are gone back.

    Args:
        what: what kind of program it is: ``SERVICE``, or another word.
        store: the database.
        state: the folder of the state, for a database that is no file.
        clock: names the running of the machine.
        chance: makes the name.

    Raises:
        StoreError: the database cannot be used.
    """
    folder = _folder(store, state)
    name, boot = f"{what}-{os.getpid()}-{chance.token(9)}", clock.boot()
    lock = _locked(folder / name, boot) if folder is not None else None
    worker = Worker(name, folder if lock is not None else None, boot, lock)
    worker.take_over(store)
    return worker


def _folder(store: Store, state: Path | None) -> Path | None:
    return folder_for(store.engine.url.database if store.dialect == "sqlite" else None, state)


def _is_held(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def _locked(path: Path, boot: str) -> int | None:
    """Make a program's file and lock it; None where that cannot be (no room, no right): it does without."""
    lock: int | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _shut(path.parent):
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(lock, f"{os.fstat(lock).st_ino} {boot}\n".encode())
    except OSError:
        if lock is not None:
            path.unlink(missing_ok=True)
            os.close(lock)
        return None
    return lock


@contextmanager
def _shut(folder: Path | None) -> Iterator[Path | None]:
    """Keep others from making and removing files in the folder meanwhile; None where there is no folder."""
    if folder is None:
        yield None
        return
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(fd)


@contextmanager
def _of_the_dead(path: Path, boot: str) -> Iterator[bool]:
    """Hold the lock of a file; say whether its program is proven to be gone.

    Args:
        path: the file, in a folder that is shut.
        boot: the running of the machine in which it must have been made, '' for any.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        inode, _, made_in = os.pread(fd, _SIZE, 0).decode("ascii", "replace").strip().partition(" ")
        yield inode == str(os.fstat(fd).st_ino) and boot in ("", made_in)
    finally:
        os.close(fd)
