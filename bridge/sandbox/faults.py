"""Faults that a test or a demo switches on: one matches requests by operation and person, and strikes the n-th."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from werkzeug.wrappers import Request, Response

from bridge.sandbox.core import Dropped

Kind = Literal["answer", "drop-before", "drop-after", "replace"]


@dataclass
class Rule:
    """Strikes requests of one operation.

    Args:
        operation: the official operation name; '*' matches every one.
        kind: ``answer`` gives ``make()`` in the service's place; ``drop-before`` and ``drop-after`` cut the connection
            before or after the effect; ``replace`` lets it take effect and gives ``make()`` instead of the answer.
        make: builds the response for ``answer`` and ``replace``.
        nth: the first match that is struck, counted from 1.
        times: how many matches are struck; None for all from then on.
        person: only requests with this person's token; '' for everybody's.
    """

    operation: str
    kind: Kind
    make: Callable[[], Response] | None = None
    nth: int = 1
    times: int | None = 1
    person: str = ""
    seen: int = field(default=0, init=False)
    struck: int = field(default=0, init=False)
    _striking: bool = field(default=False, init=False)

    def before(self, request: Request, operation: str, person: str) -> Response | None:
        """Strike before the request takes effect."""
        self._striking = self._matches(operation, person)
        if not self._striking or self.kind in ("drop-after", "replace"):
            return None
        self.struck += 1
        if self.kind == "drop-before":
            raise Dropped
        return self._made()

    def after(self, request: Request, operation: str, person: str, response: Response) -> Response:
        """Strike after it did."""
        if not self._striking or self.kind not in ("drop-after", "replace"):
            return response
        self.struck += 1
        if self.kind == "drop-after":
            raise Dropped
        return self._made()

    def _matches(self, operation: str, person: str) -> bool:
        if self.operation not in ("*", operation) or self.person not in ("", person):
            return False
        self.seen += 1
        return self.seen >= self.nth and (self.times is None or self.struck < self.times)

    def _made(self) -> Response:
        return self.make() if self.make is not None else Response("fault", status=503)
