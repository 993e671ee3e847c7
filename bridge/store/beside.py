"""The small file beside a database, by which ``bridge.store.epoch`` sees that the database was put back.

It is changed in place and never grows; processes take turns by a lock on it. ``moved`` is how a file is recognised that
came from a backup itself: no program can set a file's change time, so it is later than the one that stands in it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge.errors import StoreError

_SIZE = 512
_HEAD = "mailbridge epoch"
_TOLERANCE_NS = 10_000_000_000
_STAMP = 24


@dataclass(frozen=True, slots=True)
class Noted:
    """What stands in the file: whose it is, the epoch, how many writes were counted; ``moved``: it was put there."""

    installation: str
    epoch: str
    writes: int
    moved: bool = False


class FileBeside:
    """The file at a path."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Noted | None:
        """Return what stands in it; None where it is not there, or empty.

        Raises:
            StoreError: it cannot be read, or is something else.
        """
        try:
            with self._locked(os.O_RDONLY, fcntl.LOCK_SH) as fd:
                return self._read(fd)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from error

    def make(self) -> None:
        """Make it, empty and readable by its owner alone, where it is not there.

        Raises:
            StoreError: it cannot be made.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise self._unusable(error) from error

    def write(self, noted: Noted, *, durable: bool) -> int:
        """Note it; the number of writes never goes down.

        Args:
            noted: what is to stand there.
            durable: whether to wait until it is on the disk.

        Returns:
            The number of writes that stands there now: larger than what was to be noted where another process was
            ahead, or where the database was put back.

        Raises:
            StoreError: it cannot be written.
        """
        try:
            with self._locked(os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX) as fd:
                standing = self._read(fd)
                writes = max(noted.writes, standing.writes if standing is not None else 0)
                lines = (_HEAD, noted.installation, noted.epoch, str(writes))
                os.pwrite(fd, "\n".join(lines).ljust(_SIZE).encode(), _STAMP + 1)
                os.pwrite(fd, f"{os.fstat(fd).st_ctime_ns:<{_STAMP}}\n".encode(), 0)
                if durable:
                    os.fdatasync(fd)
                return writes
        except OSError as error:
            raise self._unusable(error) from error

    @contextmanager
    def _locked(self, flags: int, kind: int) -> Iterator[int]:
        fd = os.open(self.path, flags | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, kind)
            yield fd
        finally:
            os.close(fd)

    def _read(self, fd: int) -> Noted | None:
        text = os.pread(fd, 2 * _SIZE, 0).decode("utf-8", "replace")
        if not text.strip("\0 \n"):
            return None
        parts = [part.strip("\0 ") for part in text.split("\n")]
        if len(parts) < 5 or parts[1] != _HEAD or not parts[4].isdecimal():
            # Half of it, after a power failure: what it said is lost, and that it said something is enough.
            return Noted("", "", 0, moved=True)
        stamp = int(parts[0]) if parts[0].isdecimal() else 0
        moved = abs(os.fstat(fd).st_ctime_ns - stamp) > _TOLERANCE_NS
        return Noted(parts[2], parts[3], int(parts[4]), moved)

    def _unusable(self, error: OSError) -> StoreError:
        return StoreError(
            f"The file {self.path} beside the database cannot be used: {error.strerror}. "
            "Check who owns it and its folder, and whether the disk is full."
        )
