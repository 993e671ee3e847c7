"""Answers by the hand of the test: queued ones for both transport seams, and raw bytes from a real socket."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import httplib2
import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from bridge.errors import PauseScope
from bridge.http import Endpoints, Transports

NOW = datetime(2026, 3, 3, 14, 5, tzinfo=UTC)
ENDPOINTS = Endpoints.of("https://google.example", "https://atlassian.example")


@dataclass
class Reply:
    """One answer: a body that is no bytes is sent as JSON."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """Return the body as it goes over the wire."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Sent:
    """One request as it left."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body's JSON."""
        return json.loads(self.body)


class Wire(BaseAdapter):
    """Both seams over one queue of replies; a queued exception is raised."""

    def __init__(self, *replies: Reply | Exception) -> None:
        super().__init__()
        self.replies = list(replies)
        self.sent: list[Sent] = []
        self.closed = 0

    @property
    def transports(self) -> Transports:
        """Return the seams."""
        return Transports(session=self._session, http=lambda: self)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Answer a request of requests."""
        body: Any = request.body or b""
        body = body.read() if hasattr(body, "read") else body
        headers = dict(request.headers)
        length = headers.get("Content-Length")
        data = body.encode() if isinstance(body, str) else body
        assert length is None or int(length) == len(data)
        reply = self._next(Sent(request.method or "", request.url or "", headers, data))
        raw = HTTPResponse(
            body=BytesIO(reply.content), headers=reply.headers, status=reply.status, preload_content=False
        )
        return HTTPAdapter().build_response(request, raw)

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: Any = None,
        headers: Any = None,
        redirections: int = 5,
        connection_type: Any = None,
    ) -> tuple[httplib2.Response, bytes]:
        """Answer a request of Google's client."""
        reply = self._next(Sent(method, uri, dict(headers or {}), body or b""))
        head = {name.lower(): value for name, value in reply.headers.items()}
        return httplib2.Response({**head, "status": str(reply.status)}), reply.content

    def close(self) -> None:
        """Count it."""
        self.closed += 1

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", self)
        return session

    def _next(self, sent: Sent) -> Reply:
        self.sent.append(sent)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


class Tokens:
    """A token source that counts refreshes: "token-0", then "token-1" and so on."""

    def __init__(self, *, stale: bool = False) -> None:
        self.refused: list[str] = []
        self._stale = stale

    def __call__(self, refused: str = "") -> str:
        """Return the newest token, after a refresh where one was refused."""
        if refused:
            self.refused.append(refused)
        return f"token-{len(self.refused)}"

    def stale(self, token: str) -> bool:
        """Return what the test said."""
        return self._stale


@dataclass
class Ledger:
    """A budget that writes down: how often it was held, what pauses it was told of."""

    held: int = 0
    open: int = 0
    pauses: list[tuple[float | None, PauseScope]] = field(default_factory=list)

    @contextmanager
    def _place(self) -> Iterator[None]:
        self.held += 1
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1

    def hold(self) -> Any:
        """Return a counted place."""
        return self._place()

    def paused(self, seconds: float | None, scope: PauseScope) -> None:
        """Write a pause down."""
        self.pauses.append((seconds, scope))


class RawServer:
    """Listens on loopback, reads a request's head and body, sends bytes as they are, and closes."""

    def __init__(self, *answers: bytes) -> None:
        self.requests: list[bytes] = []
        self._answers = list(answers)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def base(self) -> str:
        """Return the server's address."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> RawServer:
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.requests.append(_read_request(connection))
                answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
                connection.sendall(answer)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (chunk := connection.recv(65536)):
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    missing = (int(lengths[0]) if lengths else 0) - len(body)
    while missing > 0 and (chunk := connection.recv(65536)):
        data, missing = data + chunk, missing - len(chunk)
    return data


def raw(status: str, body: bytes = b"", **headers: str) -> bytes:
    """Return an answer's bytes, with no header but those given (``content_length`` for Content-Length)."""
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body
