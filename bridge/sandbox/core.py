"""What both halves of the sandbox share: its clock, its ids, its record of requests, the way to one WSGI application.

Addresses (``BASE`` is ``http://127.0.0.1:PORT``):

====================================  =====================================================================
``BASE/google/...``                   accounts.google.com, oauth2.googleapis.com, openidconnect, gmail.googleapis.com
``BASE/atlassian/...``                auth.atlassian.com and api.atlassian.com (``/ex/confluence/{cloudId}/wiki/...``)
``BASE/mail``, ``BASE/wiki``          two pages for a person to look at; ``BASE`` is also the URL of the site
``BASE/sandbox/...``                  the sandbox's own controls
====================================  =====================================================================
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Handler = Callable[[Request], Response]


class Clock(Protocol):
    """Where the sandbox's time comes from; the product's clocks fit."""

    def now(self) -> datetime:
        """Return the instant, aware, UTC."""
        ...


class WallClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the instant, aware, UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as the sandbox saw it, and its answer.

    ``service`` is "google" or "atlassian"; ``operation`` the official document's name ("gmail.users.threads.get",
    "createPage"), '' where no operation matched; ``person`` the address whose token came ('' for none); ``write`` is
    true where the request changed what a person could see in Gmail or Confluence.
    """

    at: datetime
    service: str
    operation: str
    method: str
    path: str
    query: str
    person: str
    status: int
    write: bool
    request_headers: dict[str, str] = field(repr=False, default_factory=dict)
    request_body: bytes = field(repr=False, default=b"")
    response_headers: dict[str, str] = field(repr=False, default_factory=dict)
    response_body: bytes = field(repr=False, default=b"")


class Journal:
    """Every request in order, so that a test can count them; bodies are kept up to ``keep_bytes`` each."""

    def __init__(self, keep_bytes: int = 1 << 20) -> None:
        self.seen: list[Seen] = []
        self.keep_bytes = keep_bytes

    def add(self, seen: Seen) -> None:
        """Write one down."""
        self.seen.append(seen)

    def mark(self) -> int:
        """Return a place in the journal, for ``since``."""
        return len(self.seen)

    def since(self, mark: int = 0) -> list[Seen]:
        """Return what came after a mark."""
        return self.seen[mark:]

    def writes(self, mark: int = 0) -> list[Seen]:
        """Return the requests after a mark that changed Gmail or Confluence."""
        return [seen for seen in self.seen[mark:] if seen.write]


class Fault(Protocol):
    """Something that strikes requests.

    ``before`` may answer in the service's place (a Response), or raise ``Dropped`` so that nothing is answered and
    nothing takes effect; ``after`` may replace the answer of a request that took effect, or raise ``Dropped``.
    """

    def before(self, request: Request, operation: str, person: str) -> Response | None:
        """Strike before the request takes effect."""
        ...

    def after(self, request: Request, operation: str, person: str, response: Response) -> Response:
        """Strike after it did."""
        ...


class Dropped(Exception):
    """The connection dies without an answer; the server and the in-process transports turn it into a reset."""


@dataclass
class Answered:
    """What a service gives back to the core beside its response, for the journal."""

    response: Response
    operation: str = ""
    person: str = ""
    write: bool = False


class Service(Protocol):
    """One half of the sandbox.

    The core calls ``identify`` first (which operation, whose token; no effect), then the faults, then ``answer``.
    """

    name: str

    def identify(self, request: Request) -> tuple[str, str]:
        """Return the operation and the person, each '' where unknown."""
        ...

    def answer(self, request: Request) -> Answered:
        """Carry the request out."""
        ...


class Core:
    """The clock, the chance, the journal, the faults and the lock that both services share."""

    def __init__(self, *, base_url: str, clock: Clock | None = None, seed: int = 1) -> None:
        self.base_url = base_url.rstrip("/")
        self.clock: Clock = clock or WallClock()
        self.random = random.Random(seed)
        self.journal = Journal()
        self.faults: list[Fault] = []
        self.lock = threading.RLock()

    def serve(self, service: Service, request: Request) -> Response:
        """Carry one request through the faults and the service, and write it down."""
        body = request.get_data(cache=True)
        with self.lock:
            operation, person = service.identify(request)
            response: Response | None = None
            write = False
            try:
                for fault in self.faults:
                    response = fault.before(request, operation, person)
                    if response is not None:
                        break
                if response is None:
                    answered = service.answer(request)
                    response, write = answered.response, answered.write
                    operation, person = answered.operation or operation, answered.person or person
                    for fault in self.faults:
                        response = fault.after(request, operation, person, response)
            except Dropped:
                self._note(service, request, operation, person, body, None, write)
                raise
            self._note(service, request, operation, person, body, response, write)
            return response

    def _note(
        self,
        service: Service,
        request: Request,
        operation: str,
        person: str,
        body: bytes,
        response: Response | None,
        write: bool,
    ) -> None:
        keep = self.journal.keep_bytes
        self.journal.add(
            Seen(
                at=self.clock.now(),
                service=service.name,
                operation=operation,
                method=request.method,
                path=request.path,
                query=request.query_string.decode("latin-1"),
                person=person,
                status=response.status_code if response is not None else 0,
                write=write,
                request_headers=dict(request.headers),
                request_body=body[:keep],
                response_headers=dict(response.headers) if response is not None else {},
                response_body=(
                    response.get_data()[:keep] if response is not None and not response.is_streamed else b""
                ),
            )
        )


class App:
    """One WSGI application over prefixes; a service or a page handles what begins with its prefix."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._mounts: list[tuple[str, Handler]] = []

    def mount(self, prefix: str, handler: Handler) -> None:
        """Give everything at and below a prefix to a handler; the longest prefix wins."""
        self._mounts.append((prefix.rstrip("/"), handler))
        self._mounts.sort(key=lambda mount: -len(mount[0]))

    def mount_service(self, prefix: str, service: Service) -> None:
        """Give a prefix to a service, by way of the faults and the journal."""
        self.mount(prefix, lambda request: self.core.serve(service, request))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        path = environ.get("PATH_INFO", "")
        for prefix, handler in self._mounts:
            if path == prefix or path.startswith(prefix + "/"):
                with Request(environ) as request:  # closes the files of a form
                    return handler(request)(environ, start_response)
        return Response("Nothing here.\n", status=404)(environ, start_response)
