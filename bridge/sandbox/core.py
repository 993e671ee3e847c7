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

import io
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from bridge.sandbox.journal import Journal, Seen, headers_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Handler = Callable[[Request], Response]


class Clock(Protocol):
    """Where the sandbox's time comes from; the product's clocks fit."""

    def now(self) -> datetime:
        """Return the instant, aware, UTC."""
        ...


@runtime_checkable
class Movable(Protocol):
    """A clock whose time is virtual."""

    def advance(self, seconds: float) -> None:
        """Let so much time pass."""
        ...


class WallClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the instant, aware, UTC."""
        return datetime.now(UTC)


class Skewed:
    """A clock that differs from another one."""

    def __init__(self, clock: Clock, difference: timedelta) -> None:
        self._clock = clock
        self._difference = difference

    def now(self) -> datetime:
        """Return the instant, aware, UTC."""
        return self._clock.now() + self._difference


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


class NeverConnected(Dropped):
    """The connection is refused; a server, which has taken it already, can only cut it before anything happened."""


class NoAnswer(Dropped):
    """The connection stays open and silent, until the client loses patience.

    ``wait`` lets the sandbox's own time pass where it is virtual; the argument is in seconds.
    """

    def __init__(self, wait: Callable[[float], None]) -> None:
        super().__init__()
        self.wait = wait


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


CORE = "bridge.sandbox.core"
SERVICE = "bridge.sandbox.service"
DELAY = "bridge.sandbox.delay"
"""Keys of a request's environ: where a fault finds the core and the service, and the seconds that an answer waits."""


@dataclass(frozen=True, slots=True)
class Late:
    """A request whose connection died, and which takes effect at an instant."""

    due: datetime
    service: Service
    request: Request


class Core:
    """The clock, the chance, the journal, the faults and the lock that both services share.

    ``wait`` lets virtual time pass (seconds), for a client that waits in vain or long; a machine's clock goes by
    itself. A simulator may put its own in its place. ``late`` are the requests that take effect later.
    """

    def __init__(self, *, base_url: str, clock: Clock | None = None, seed: int = 1) -> None:
        self.base_url = base_url.rstrip("/")
        self.clock: Clock = clock or WallClock()
        self.random = random.Random(seed)
        self.journal = Journal()
        self.faults: list[Fault] = []
        self.late: list[Late] = []
        self.lock = threading.RLock()
        self.wait: Callable[[float], None] = self._wait

    def postpone(self, service: Service, request: Request, seconds: float) -> None:
        """Keep a request whose connection dies now, to carry it out so many seconds later."""
        body = request.get_data(cache=True)
        environ = {name: value for name, value in request.environ.items() if not name.startswith("werkzeug.")}
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        again = Request(environ, populate_request=False)
        self.late.append(Late(self.clock.now() + timedelta(seconds=seconds), service, again))
        self.late.sort(key=lambda late: late.due)

    def catch_up(self) -> None:
        """Carry out the late requests whose instant has passed; whatever is served next sees their effect."""
        with self.lock:
            while self.late and self.late[0].due <= self.clock.now():
                self._carry_out(self.late.pop(0))

    def settle(self) -> None:
        """Carry out every late request now, also one whose instant is still to come."""
        with self.lock:
            while self.late:
                self._carry_out(self.late.pop(0))

    def _carry_out(self, late: Late) -> None:
        request, service = late.request, late.service
        operation, person = service.identify(request)
        answered = service.answer(request)
        self._note(
            service,
            request,
            answered.operation or operation,
            answered.person or person,
            request.get_data(cache=True),
            None,
            answered.write,
            late=True,
        )

    def _wait(self, seconds: float) -> None:
        if isinstance(self.clock, Movable):
            self.clock.advance(seconds)

    def serve(self, service: Service, request: Request) -> Response:
        """Carry one request through the faults and the service, and write it down."""
        body = request.get_data(cache=True)
        with self.lock:
            if self.late:
                self.catch_up()
            operation, person = service.identify(request)
            response: Response | None = None
            write = False
            real = self.clock
            if self.faults:
                request.environ[CORE], request.environ[SERVICE] = self, service
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
                if self.clock is not real:
                    response.headers["Date"] = http_date(self.clock.now())
            except Dropped:
                self.clock = real
                self._note(service, request, operation, person, body, None, write)
                raise
            finally:
                self.clock = real
            self._note(service, request, operation, person, body, response, write)
            return response

    def skew(self, difference: timedelta) -> None:
        """Have the clock differ from the real one until the request that is being served is answered."""
        self.clock = Skewed(self.clock, difference)

    def _note(
        self,
        service: Service,
        request: Request,
        operation: str,
        person: str,
        body: bytes,
        response: Response | None,
        write: bool,
        *,
        late: bool = False,
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
                request_headers=headers_of(request.environ),
                request_body=body[:keep],
                response_headers=dict(response.headers) if response is not None else {},
                response_body=(
                    response.get_data()[:keep] if response is not None and not response.is_streamed else b""
                ),
                late=late,
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
        if self.core.late:
            self.core.catch_up()
        path = environ.get("PATH_INFO", "")
        for prefix, handler in self._mounts:
            if path == prefix or path.startswith(prefix + "/"):
                with Request(environ) as request:  # closes the files of a form
                    return handler(request)(environ, start_response)
        return Response("Nothing here.\n", status=404)(environ, start_response)
