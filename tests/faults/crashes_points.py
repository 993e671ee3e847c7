"""Where a process is killed or stopped: around each of its requests and commits, counted as they come."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any, Literal

from bridge.store.engine import Store

When = Literal["before", "sent", "answered", "after", "stopped"]
"""Before a request or a commit; a request sent and unanswered, or answered and unread; after a commit, where the
process may also be stopped past its leases, and woken when another one has done its work."""

_ENGINE = os.path.join("bridge", "store", "engine.py")


@dataclass(frozen=True, slots=True)
class Point:
    """One moment: the ``number``-th of a life, from 1; ``late`` has a request that was sent take effect much later."""

    number: int
    when: When
    what: str
    late: bool = False

    @property
    def name(self) -> str:
        """What is said of it."""
        return f"{self.number} {self.when} {self.what}{' that takes effect later' if self.late else ''}"


@dataclass
class Counter:
    """Counts the moments of this process's life, and sends it a signal at one of them.

    Args:
        kill_at: the number of the moment, 0 for none.
        last_words: called with the moment right before the signal.
        signal: SIGKILL ends it there, SIGSTOP stops it until somebody wakes it.
    """

    kill_at: int
    last_words: Callable[[Point], None]
    signal: signal.Signals = signal.SIGKILL
    points: list[Point] = field(default_factory=list)

    def watch_requests(self) -> None:
        """Count around every request of this process, whichever client library sends it."""
        begun: list[str] = []

        def putrequest(connection: Any, method: str, url: str, *rest: Any, **more: Any) -> None:
            begun[:] = [f"{method} {url.partition('?')[0]}"]
            self._at("before", begun[0])
            return begin(connection, method, url, *rest, **more)  # type: ignore[no-any-return]

        def getresponse(connection: Any, *rest: Any, **more: Any) -> Any:
            self._at("sent", begun[0])
            answer = receive(connection, *rest, **more)
            self._at("answered", begun[0])
            return answer

        begin: Callable[..., Any] = HTTPConnection.putrequest
        receive: Callable[..., Any] = HTTPConnection.getresponse
        HTTPConnection.putrequest = putrequest  # type: ignore[method-assign]
        HTTPConnection.getresponse = getresponse  # type: ignore[method-assign]

    def watch_commits(self, store: Store) -> None:
        """Count around every commit of a database."""
        commit = store.engine.dialect.do_commit

        def do_commit(connection: Any) -> None:
            what = f"commit {_asked_by()}"
            self._at("before", what)
            commit(connection)
            self._at("after", what)

        store.engine.dialect.do_commit = do_commit  # type: ignore[method-assign]

    def _at(self, when: When, what: str) -> None:
        point = Point(len(self.points) + 1, when, what)
        self.points.append(point)
        if point.number == self.kill_at:
            self.last_words(point)
            os.kill(os.getpid(), self.signal)


def _asked_by() -> str:
    """Return the function of the product in which a transaction was opened."""
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if f"{os.sep}bridge{os.sep}" in file and not file.endswith(_ENGINE):
            room = file.rpartition(f"{os.sep}bridge{os.sep}")[2].removesuffix(".py").replace(os.sep, ".")
            return f"{room}.{frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return "unknown"
