"""Lines that a person types, waited for a little at a time, so that something else can end the waiting."""

from __future__ import annotations

import os
import select
import threading
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from bridge.clock import Clock

_CHUNK = 65536


class Terminal:
    """Reads standard input without ever blocking for long.

    Args:
        stream: what is read; one without a file descriptor is read whole at once.
        clock: for waiting once the input has ended.
    """

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._clock = clock
        self._buffer = b""
        self._descriptor: int | None = None
        self._ended = False
        try:
            self._descriptor = stream.fileno()
        except (OSError, ValueError):
            self._buffer = stream.read().encode()
            self._ended = True

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self._ended and not self._buffer

    def line(self, seconds: float) -> str | None:
        """Return the next line without its end; None where none came in this time, or none will come."""
        if b"\n" not in self._buffer and not self._ended:
            self._read(seconds)
        elif self.ended:
            self._clock.wait(threading.Event(), seconds)
        if b"\n" in self._buffer or (self._ended and self._buffer):
            found, _, self._buffer = self._buffer.partition(b"\n")
            return found.decode("utf-8", "replace").strip()
        return None

    def _read(self, seconds: float) -> None:
        assert self._descriptor is not None
        ready, _, _ = select.select([self._descriptor], [], [], seconds)
        if ready:
            chunk = os.read(self._descriptor, _CHUNK)
            self._buffer += chunk
            self._ended = not chunk
