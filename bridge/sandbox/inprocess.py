"""The sandbox without sockets: a ``requests`` adapter and an ``httplib2.Http`` over a WSGI application.

Both fail as the real libraries do: refused, reset, timed out, cut short. A client that waits lets virtual time pass.
"""

from __future__ import annotations

import errno
import http.client
import io
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

import httplib2
import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPHeaderDict, HTTPResponse
from urllib3.connection import HTTPConnection
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError

from bridge.sandbox.core import CORE, DELAY, Core, Dropped, NeverConnected, NoAnswer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PATIENCE = 30.0
"""Seconds without an answer after which a client that names no time-out gives up."""

_RESET = (errno.ECONNRESET, "Connection reset by peer")
_REFUSED = (errno.ECONNREFUSED, "Connection refused")
_FRAMING = frozenset({"content-length", "transfer-encoding"})


class WsgiAdapter(BaseAdapter):
    """Mount it in a ``requests`` session: ``session.mount("http://127.0.0.1:1", WsgiAdapter(app))``.

    Raises what requests raises: ``ConnectionError`` for a connection that is refused (a ``NewConnectionError`` inside)
    or reset, ``ReadTimeout`` for an answer that does not come in time, ``ChunkedEncodingError`` for one cut short.
    """

    def __init__(self, app: WSGIApplication) -> None:
        super().__init__()
        self._app = app
        self._builder = HTTPAdapter()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Carry one request; certificates and proxies have no meaning here."""
        url, seconds = request.url or "", timeout[1] if isinstance(timeout, tuple) else timeout
        try:
            status, answer, body = _call(
                self._app, url, request.method or "GET", request.headers, _bytes(request.body), seconds
            )
        except NeverConnected:
            raise requests.ConnectionError(_never_connected(url), request=request) from None
        except TimeoutError:
            lost = ReadTimeoutError(_pool(url), url, f"Read timed out. (read timeout={seconds})")
            raise requests.ReadTimeout(lost, request=request) from None
        except Dropped:
            cut = ProtocolError("Connection aborted.", ConnectionResetError(*_RESET))
            raise requests.ConnectionError(cut, request=request) from None
        raw = HTTPResponse(
            body=io.BytesIO(body),
            headers=HTTPHeaderDict(answer),
            status=status,
            reason=http.client.responses.get(status, ""),
            preload_content=False,
            request_method=request.method,
        )
        return self._builder.build_response(request, raw)

    def close(self) -> None:
        """Close nothing."""


class WsgiHttp:
    """Has as much of ``httplib2.Http`` as the Google client and google-auth use.

    A connection is refused with ``ConnectionRefusedError`` and reset with ``ConnectionResetError``; unlike httplib2,
    nothing is sent a second time. An answer that does not come in time is a ``TimeoutError``, one shorter than its
    Content-Length ``http.client.IncompleteRead``.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self.connections: dict[str, object] = {}
        self.follow_redirects = False
        self.redirect_codes: frozenset[int] = frozenset()
        self.timeout: float | None = None

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: str | bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        redirections: int = 5,
        connection_type: object = None,
    ) -> tuple[httplib2.Response, bytes]:
        """Carry one request; redirects are not followed."""
        try:
            status, answer, data = _call(self._app, uri, method, headers or {}, _bytes(body), self.timeout)
        except NeverConnected:
            raise ConnectionRefusedError(*_REFUSED) from None
        except Dropped:
            raise ConnectionResetError(*_RESET) from None
        info = {name.lower(): value for name, value in answer}
        announced = int(info.get("content-length", len(data)))
        if announced > len(data) and method != "HEAD":
            raise http.client.IncompleteRead(data, announced - len(data))
        info |= {"status": str(status), "content-location": uri}
        response = httplib2.Response(info)
        response.reason = http.client.responses.get(status, "")
        return response, data

    def close(self) -> None:
        """Close nothing."""


def _call(
    app: WSGIApplication,
    url: str,
    method: str,
    headers: Mapping[str, str | bytes],
    body: bytes,
    timeout: float | None,
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return status, headers and body.

    Raises:
        Dropped: the sandbox cut the connection.
        TimeoutError: no answer came within ``timeout`` seconds; virtual time has gone on by these.
    """
    environ = _environ(url, method, headers, body)
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(status: str, answer: list[tuple[str, str]], exc_info: Any = None) -> Any:
        begun[:] = [(status, answer)]
        return written.append

    try:
        chunks = app(environ, start_response)
    except NoAnswer as silent:
        silent.wait(PATIENCE if timeout is None else timeout)
        raise TimeoutError("timed out") from None
    try:
        written.extend(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    if DELAY in environ:
        _delay(environ[CORE], environ[DELAY], PATIENCE if timeout is None else timeout)
    status, answer = begun[0]
    return int(status[:3]), answer, b"".join(written)


def _delay(core: Core, seconds: float, timeout: float) -> None:
    core.wait(min(seconds, timeout))
    if seconds > timeout:
        raise TimeoutError("timed out")


def _environ(url: str, method: str, headers: Mapping[str, str | bytes], body: bytes) -> dict[str, Any]:
    """Return what a server would hand to the application for a request."""
    parts = urlsplit(url)
    query = parts.query if parts.query.isascii() else parts.query.encode().decode("latin-1")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path or "/").decode("latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": f"{parts.path or '/'}?{query}" if query else parts.path or "/",
        "SERVER_NAME": parts.hostname or "localhost",
        "SERVER_PORT": str(parts.port or (443 if parts.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": parts.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(len(body)),
    }
    for name, value in headers.items():
        key = _key(name)
        if key:
            environ[key] = value.decode("latin-1") if isinstance(value, bytes) else value
    return environ


@lru_cache(maxsize=256)
def _key(name: str) -> str:
    """Return a header's name in an environ, '' for those that say how a body is framed."""
    if name.lower() in _FRAMING:
        return ""
    key = name.upper().replace("-", "_")
    return key if key == "CONTENT_TYPE" else f"HTTP_{key}"


def _pool(url: str) -> HTTPConnectionPool:
    parts = urlsplit(url)
    return HTTPConnectionPool(parts.hostname or "localhost", parts.port)


def _never_connected(url: str) -> MaxRetryError:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "localhost", parts.port)
    reason = NewConnectionError(
        connection, f"Failed to establish a new connection: {ConnectionRefusedError(*_REFUSED)}"
    )
    return MaxRetryError(_pool(url), url, reason)


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode("utf-8")
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if hasattr(body, "read"):
        return _bytes(body.read())
    return b"".join(_bytes(chunk) for chunk in body)
