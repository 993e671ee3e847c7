"""Serves the web application from a thread of its own, beside the engine."""

from __future__ import annotations

import errno
import socket
import threading
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from bridge.config import Listen
from bridge.errors import BridgeError

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_LOOK_SECONDS = 0.02


class AddressTaken(BridgeError):
    """Another program listens there already."""


class WebServer:
    """One address; ``start`` returns when it answers, ``stop`` when the last request under way was answered.

    Args:
        app: what answers.
        listen: where; port 0 takes a free one, and ``port`` tells which.
    """

    def __init__(self, app: FastAPI, listen: Listen) -> None:
        self._listen = listen
        self._socket: socket.socket | None = None
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=5,
                server_header=False,
                # Nothing here depends on where a request came from.
                proxy_headers=False,
            )
        )
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens at."""
        return int(self._socket.getsockname()[1]) if self._socket is not None else self._listen.port

    def start(self) -> None:
        """Begin to answer.

        Raises:
            AddressTaken: another program listens there.
            BridgeError: this machine has no such address, or the port is not for this user.
        """
        self._socket = _bound(self._listen)
        self._thread.start()
        waited, never = 0.0, threading.Event()
        while not self._server.started and self._thread.is_alive() and waited < _START_SECONDS:
            never.wait(_LOOK_SECONDS)
            waited += _LOOK_SECONDS
        if not self._server.started:
            self.stop()
            raise BridgeError(f"The web page did not start at {_shown(self._listen)}. Look at the log for the reason.")

    def stop(self) -> None:
        """End; may be called twice, and before ``start``."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)
        if self._socket is not None:
            self._socket.close()

    def _run(self) -> None:
        # uvicorn ends by SystemExit where it cannot start, which would be printed from a thread.
        with suppress(SystemExit):
            self._server.run(sockets=[self._socket] if self._socket is not None else None)


def _bound(listen: Listen) -> socket.socket:
    """Return a listening socket; bound here, since uvicorn would end the process where it cannot."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _unusable(listen, error) from None
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(128)
    except OSError as error:
        made.close()
        raise _unusable(listen, error) from None
    return made


def _unusable(listen: Listen, error: OSError) -> BridgeError:
    if error.errno == errno.EADDRINUSE:
        return AddressTaken(
            f"Another program listens at {_shown(listen)} already. Is the service running? Else change web.listen."
        )
    return BridgeError(f"The web page cannot listen at {_shown(listen)}: {error.strerror}. Change web.listen.")


def _shown(listen: Listen) -> str:
    return f"[{listen.host}]:{listen.port}" if ":" in listen.host else f"{listen.host}:{listen.port}"
