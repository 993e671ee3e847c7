"""A rule: which requests a fault strikes, which of them in their order, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from werkzeug.wrappers import Request, Response

from bridge.sandbox.core import CORE, SERVICE, Dropped
from bridge.sandbox.faults.catalogue import CATALOGUE
from bridge.sandbox.faults.kinds import FaultError, Kind, Outcome, Visit

Plain = Literal["answer", "drop-before", "drop-after", "replace"]
_TEXT = {"drop-before": "reset-before", "drop-after": "reset-after"}


@dataclass
class Rule:
    """Strikes requests of one operation, or of one method and path.

    Args:
        operation: the official operation name; '*' matches every one, and within a name whatever stands there;
            "google" and "atlassian" match all of a service.
        kind: a name of ``CATALOGUE``, or one of four plain ones. ``answer`` gives ``make()`` in the service's place;
            ``drop-before`` and ``drop-after`` cut the connection before or after the effect; ``replace`` lets it take
            effect and gives ``make()`` instead of the answer.
        make: builds the response for ``answer`` and ``replace``.
        nth: the first match that is struck, counted from 1.
        times: how many matches are struck; None for all from then on.
        person: only requests with this person's token; '' for everybody's.
        method: only requests with this method; '' for any.
        path: only requests to this path below the service's prefix, '*' matching anything; '' for any.
        argument: the kind's argument; '' takes the kind's own default.

    Raises:
        FaultError: there is no such kind, or the argument is none for it.

    Attributes:
        seen: how many requests matched so far.
        struck: how many of them were struck.
        last: operation and person of the one that was struck last.
        memory: what the kind itself remembers from one request to the next.
    """

    operation: str
    kind: str
    make: Callable[[], Response] | None = None
    nth: int = 1
    times: int | None = 1
    person: str = ""
    method: str = ""
    path: str = ""
    argument: str = ""
    seen: int = field(default=0, init=False)
    struck: int = field(default=0, init=False)
    last: tuple[str, str] = field(default=("", ""), init=False)
    memory: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)
    _striking: bool = field(default=False, init=False)
    _at: tuple[str, str] = field(default=("", ""), init=False)

    def __post_init__(self) -> None:
        """Check kind and argument."""
        if self.kind in ("answer", "drop-before", "drop-after", "replace"):
            return
        kind = CATALOGUE.get(self.kind)
        if kind is None:
            raise FaultError(f"There is no fault named {self.kind}.")
        if self.argument and not kind.unit:
            raise FaultError(f"The fault {self.kind} takes no argument: leave out ={self.argument}.")
        if self.argument and not kind.takes(self.argument):
            raise FaultError(f"The fault {self.kind} does not take {self.argument}: give {kind.unit}.")

    def __str__(self) -> str:
        """Return the text that ``parse`` reads."""
        parts = [_TEXT.get(self.kind, self.kind) + (f"={self.argument}" if self.argument else "")]
        if self.path:
            parts.append(f"{self.method or '*'} {self.path}")
        elif self.operation != "*":
            parts.append(self.operation)
        if self.nth != 1:
            parts.append(f"nth={self.nth}")
        if self.times != 1:
            parts.append(f"times={'always' if self.times is None else self.times}")
        if self.person:
            parts.append(f"person={self.person}")
        return " ".join(parts)

    @property
    def over(self) -> bool:
        """Whether it strikes no more."""
        return self.times is not None and self.struck >= self.times

    def before(self, request: Request, operation: str, person: str) -> Response | None:
        """Strike before the request takes effect."""
        self._striking = False
        if self.over:
            return None
        kind = CATALOGUE.get(self.kind)
        if kind is not None and kind.watch is not None:
            kind.watch(self._visit(kind, request, operation, person))
        self._striking = self._matches(kind, request, operation, person)
        if not self._striking:
            return None
        self._at = (operation, person)
        if kind is None:
            return self._plain_before()
        if kind.before is None:
            return None
        strike, visit = kind.before, self._visit(kind, request, operation, person)
        return self._outcome(lambda: strike(visit))

    def after(self, request: Request, operation: str, person: str, response: Response) -> Response:
        """Strike after it did."""
        if not self._striking:
            return response
        kind = CATALOGUE.get(self.kind)
        if kind is None:
            return self._plain_after(response)
        if kind.after is None:
            return response
        after, visit = kind.after, self._visit(kind, request, operation, person)
        return self._outcome(lambda: after(visit, response)) or response

    def _outcome(self, strike: Callable[[], Outcome]) -> Response | None:
        try:
            outcome = strike()
        except Dropped:
            self._count()
            raise
        if outcome is False:
            return None
        self._count()
        return None if outcome is True else outcome

    def _count(self) -> None:
        self.struck += 1
        self.last = self._at

    def _matches(self, kind: Kind | None, request: Request, operation: str, person: str) -> bool:
        service = request.environ.get(SERVICE)
        name = service.name if service is not None else ""
        if self.person not in ("", person):
            return False
        if self.operation not in ("*", operation, name) and not fnmatchcase(operation, self.operation):
            return False
        if kind is not None and not kind.applies(name, request.method, operation):
            return False
        if self.method not in ("", request.method) or not self._on_path(request.path):
            return False
        self.seen += 1
        return self.seen >= self.nth

    def _on_path(self, path: str) -> bool:
        if not self.path:
            return True
        below = "/" + path.lstrip("/").partition("/")[2]
        return fnmatchcase(below, self.path) or fnmatchcase(path, self.path)

    def _visit(self, kind: Kind, request: Request, operation: str, person: str) -> Visit:
        return Visit(
            core=request.environ[CORE],
            service=request.environ[SERVICE],
            request=request,
            operation=operation,
            person=person,
            argument=self.argument or kind.default,
            memory=self.memory,
            lasting=self.times is None,
        )

    def _plain_before(self) -> Response | None:
        if self.kind in ("drop-after", "replace"):
            return None
        self._count()
        if self.kind == "drop-before":
            raise Dropped
        return self._made()

    def _plain_after(self, response: Response) -> Response:
        if self.kind not in ("drop-after", "replace"):
            return response
        self._count()
        if self.kind == "drop-after":
            raise Dropped
        return self._made()

    def _made(self) -> Response:
        return self.make() if self.make is not None else Response("fault", status=503)
