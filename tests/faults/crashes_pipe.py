"""JSON values in lines, from one process to another."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any


class Pipe:
    """One way, between processes that a fork made."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()

    def write(self, value: dict[str, Any]) -> None:
        """Say something."""
        data = json.dumps(value).encode() + b"\n"
        while data:
            data = data[os.write(self._writing, data) :]

    def lines(self) -> Iterator[bytes]:
        """Yield what is said, until nobody is left who could say more."""
        with os.fdopen(os.dup(self._reading), "rb") as stream:
            yield from iter(stream.readline, b"")

    def close_writing(self) -> None:
        """Leave it to the other process to say something."""
        os.close(self._writing)
        self._writing = -1

    def close(self) -> None:
        """Close both ends."""
        for end in (self._reading, self._writing):
            if end >= 0:
                os.close(end)
