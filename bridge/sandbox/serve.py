"""The sandbox over real HTTP on the loopback address: kept-alive connections, one write an answer, faults on demand.

A fault that refuses a connection comes too late here, since the request came over it: it is cut before anything
happened. One that keeps silent holds the connection, and nothing else, until the client leaves.
"""

from __future__ import annotations

import contextlib
import io
import ipaddress
import logging
import selectors
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler, generate_adhoc_ssl_context

from bridge.sandbox.core import DELAY, Dropped, NoAnswer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_log = logging.getLogger(__name__)
_RESET = struct.pack("ii", 1, 0)
_JOIN_SECONDS = 5.0
_LOOK_SECONDS = 0.05
_LONGEST_SECONDS = 3600.0


class _Handler(WSGIRequestHandler):
    """Answers requests one after another on a connection; werkzeug's own handler closes after each."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()
        self.server.closed(self.connection)

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        if environ.get("HTTP_EXPECT", "").casefold() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        if not environ.get("wsgi.input_terminated"):
            body = self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0))
        else:
            body = environ["wsgi.input"].read()
        # Read whole before anything is answered, so that the next request begins where this one ends.
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ.pop("wsgi.input_terminated", None)
        try:
            self._answer(environ)
        except NoAnswer:
            self._client_left(_LONGEST_SECONDS)
            self._reset()
        except Dropped:
            self._reset()

    def _answer(self, environ: dict[str, Any]) -> None:
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            begun[:] = [(status, headers)]
            return lambda data: None

        try:
            chunks = self.server.app(environ, start_response)
            if DELAY in environ and self._client_left(environ[DELAY]):
                raise Dropped
            status, headers = begun[0]
        except Dropped:
            raise
        except Exception:
            _log.exception("The sandbox failed at %s %s", self.command, self.path)
            status, headers, chunks = "500 Internal Server Error", [("Content-Length", "0")], []
        try:
            self._write(status, headers, chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()

    def _write(self, status: str, headers: list[tuple[str, str]], chunks: Iterable[bytes]) -> None:
        number, _, phrase = status.partition(" ")
        code = int(number)
        given = {name.casefold(): value for name, value in headers}
        bodyless = self.command == "HEAD" or code in (204, 304)
        self.log_request(code)
        self.send_response_only(code, phrase)
        for name, value in (("Server", self.version_string()), ("Date", self.date_time_string())):
            if name.casefold() not in given:
                self.send_header(name, value)
        for name, value in headers:
            self.send_header(name, value)
        streamed = "content-length" not in given and not bodyless
        if streamed:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        written = 0
        for chunk in () if bodyless else chunks:
            self.wfile.write(chunk)
            written += len(chunk)
            if streamed:
                self.wfile.flush()
        self.wfile.flush()
        if not bodyless and not streamed and written != int(given["content-length"]):
            self.close_connection = True

    def _client_left(self, seconds: float) -> bool:
        """Wait without a word; return whether the client (or the server's end) cut the wait short."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.connection, selectors.EVENT_READ)
            return bool(waiting.select(seconds))

    def _reset(self) -> None:
        """Cut the connection so that the other side sees a TCP reset, not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.rfile.close()
        with contextlib.suppress(OSError):
            self.wfile.close()
        self.connection.close()
        raise ConnectionResetError("cut on purpose")

    def log(self, type: str, message: str, *args: object) -> None:
        _log.debug(message, *args)


class _Server(ThreadedWSGIServer):
    """Knows its open connections, so that it can end them when it stops."""

    daemon_threads = True

    def __init__(self, host: str, port: int, app: WSGIApplication, ssl_context: ssl.SSLContext | None) -> None:
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._connections_lock = threading.Lock()
        # Bound here, since werkzeug would end the process where the port is taken.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family, backlog=self.request_queue_size) as listening:
            super().__init__(host, port, app, _Handler, ssl_context=ssl_context, fd=listening.fileno())

    def opened(self, connection: socket.socket) -> None:
        with self._connections_lock:
            self._connections[connection] = threading.current_thread()

    def closed(self, connection: socket.socket) -> None:
        with self._connections_lock:
            self._connections.pop(connection, None)

    def end_connections(self) -> None:
        with self._connections_lock:
            open_now = list(self._connections.items())
        for connection, _ in open_now:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for _, thread in open_now:
            thread.join(_JOIN_SECONDS)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
            _log.exception("A connection of %s failed", client_address)


class RunningServer:
    """A server on its own thread; leave the ``with`` block or call ``close`` to end it.

    ``url`` is its address without a slash at the end.
    """

    def __init__(self, server: _Server, scheme: str, host: str) -> None:
        self._server = server
        name = f"[{host}]" if ":" in host else host
        self.port = int(server.server_address[1])
        self.url = f"{scheme}://{name}:{self.port}"
        # shutdown() waits for the loop's next look, so werkzeug's half second would make every stop slow.
        self._thread = threading.Thread(
            target=server.serve_forever, args=(_LOOK_SECONDS,), name=f"sandbox:{self.port}", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening and end all connections."""
        self._server.shutdown()
        self._thread.join(_JOIN_SECONDS)
        self._server.end_connections()
        self._server.server_close()

    def __enter__(self) -> RunningServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(
    app: WSGIApplication,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: bool = False,
    ssl_context: ssl.SSLContext | None = None,
) -> RunningServer:
    """Serve a WSGI application on the loopback address.

    Args:
        app: the application.
        host: a loopback address or "localhost"; nothing else is accepted, since nothing here is protected.
        port: 0 takes a free one.
        tls: true for HTTPS, with a certificate made for the occasion unless ``ssl_context`` brings one.
        ssl_context: a server context; given, HTTPS is on.

    Raises:
        ValueError: the host is not a loopback address.
        OSError: the port is taken.
    """
    if not _is_loopback(host):
        raise ValueError(f"The sandbox listens on a loopback address only, not on {host}: use 127.0.0.1.")
    context = ssl_context or (generate_adhoc_ssl_context() if tls else None)
    return RunningServer(_Server(host, port, app, context), "https" if context else "http", host)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
