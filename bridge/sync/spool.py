"""A private folder for attachments under way: fetched, measured, uploaded, gone."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Spooled:
    """A file in the spool: its open descriptor, its size in bytes and the sha256 of its bytes in hex."""

    descriptor: int
    size: int
    sha256: str

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Give its bytes to read from the start; may be opened again for a second attempt, but not twice at once."""
        with os.fdopen(os.dup(self.descriptor), "rb") as data:
            data.seek(0)
            yield data


@contextmanager
def spooled(folder: Path, data: bytes) -> Iterator[Spooled]:
    """Keep bytes in a file without a name, for as long as the context lasts; a killed program leaves none behind."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(data)
        file.flush()
        yield Spooled(file.fileno(), len(data), hashlib.sha256(data).hexdigest())
