"""The sandbox in a process of its own, which outlives the daemons that are killed."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from werkzeug.wrappers import Request, Response

from bridge.sandbox.core import CORE, SERVICE, Dropped
from bridge.sandbox.faults import parse
from bridge.sandbox.serve import serve
from bridge.sandbox.world import World

from faults.crashes_pipe import Pipe
from faults.matrix_writes import twice_written
from support.standing import Standing, standing

LONGEST = 180
"""Seconds of the machine's time after which it is given up."""

LATE = 60.0
"""Seconds after which a request takes effect whose process was killed meanwhile."""

PRIVATE_IGNORED = "no-private-200 createPage times=always"
"""The site makes drafts that all may read, so that the restriction is a write of its own."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the sandbox saw: what stands, what was written twice, the requests by name, how many writes came last."""

    standing: Standing
    twice: tuple[str, ...]
    operations: tuple[str, ...]
    writes: tuple[str, ...]
    last_writes: int


class Sandbox:
    """The served sandbox, as its parent talks to it."""

    def __init__(self, child: int, asking: Pipe, telling: Pipe) -> None:
        self._child, self._asking, self._telling = child, asking, telling
        self._answers = telling.lines()

    def ask(self, what: str) -> Any:
        """Ask, and return the answer."""
        self._asking.write({"ask": what})
        return json.loads(next(self._answers))["value"]

    def seen(self) -> Seen:
        """Return what it saw until now."""
        found = self.ask("seen")
        return Seen(
            Standing(tuple(found["lines"]), found["drafts"]),
            tuple(found["twice"]),
            tuple(found["operations"]),
            tuple(found["writes"]),
            found["last_writes"],
        )


class Postponed:
    """Keeps the n-th request back, whose process is being killed, and carries it out later."""

    def __init__(self, number: int) -> None:
        self._left = number

    def before(self, request: Request, operation: str, person: str) -> Response | None:
        """Count it."""
        self._left -= 1
        if self._left == 0:
            request.environ[CORE].postpone(request.environ[SERVICE], request, LATE)
            raise Dropped
        return None

    def after(self, request: Request, operation: str, person: str, response: Response) -> Response:
        """Change nothing."""
        return response


def serve_until_killed(world: World, port: int, late_at: int, asking: Pipe, telling: Pipe) -> NoReturn:
    """Be the sandbox's process: serve, and answer the parent, until it kills this.

    Args:
        world: what is served.
        port: where.
        late_at: which request takes effect late, from 1; 0 for none.
        asking: what the parent asks.
        telling: the answers.
    """
    signal.alarm(LONGEST)
    world.google.api.quota.limit = None
    world.core.faults.append(parse(PRIVATE_IGNORED))
    if late_at:
        world.core.faults.append(Postponed(late_at))
    begun = world.core.journal.mark()
    mark = begun
    with serve(world.app, port=port) as server:
        for line in asking.lines():
            what = json.loads(line)["ask"]
            value: Any = None
            if what == "quiet":
                _until(lambda: not server._server._connections)
            elif what == "mark":
                mark = world.core.journal.mark()
            elif what == "seen":
                with world.core.lock:
                    world.core.catch_up()
                    stands, seen = standing(world), world.core.journal.since(begun)
                    value = {
                        "lines": stands.lines,
                        "drafts": stands.empty_drafts,
                        "twice": twice_written(seen),
                        "operations": [one.operation for one in seen],
                        "writes": [one.operation if one.write else "" for one in seen],
                        "last_writes": len(world.core.journal.writes(mark)),
                    }
            telling.write({"value": value})
    os._exit(0)


def _until(condition: Callable[[], bool]) -> None:
    never = threading.Event()
    while not condition():
        never.wait(0.002)
