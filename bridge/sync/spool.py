"""A private folder for attachments under way: fetched, measured, uploaded, gone."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Spooled:
    """A file in the spool: where it lies, its size in bytes and the sha256 of its bytes in hex."""

    path: Path
    size: int
    sha256: str

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Give its bytes to read; may be opened again for a second attempt."""
        with self.path.open("rb") as data:
            yield data


@contextmanager
def spooled(folder: Path, data: bytes) -> Iterator[Spooled]:
    """Keep bytes in a file that only this process's user can read, for as long as the context lasts."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=folder, prefix="file-") as file:
        file.write(data)
        file.flush()
        yield Spooled(Path(file.name), len(data), hashlib.sha256(data).hexdigest())
