from __future__ import annotations

import socket

import pytest
import requests

from bridge.config import Listen
from bridge.errors import BridgeError
from bridge.web.app import Web, make_app
from bridge.web.serve import AddressTaken, WebServer

from support.consents import Office


def server(office: Office, host: str = "127.0.0.1", port: int = 0) -> WebServer:
    return WebServer(make_app(Web(office.opened.consents, office.store, lambda: office.chosen)), Listen(host, port))


def test_it_answers_from_start_to_stop(office: Office) -> None:
    made = server(office)
    made.start()
    try:
        port = made.port
        answer = requests.get(f"http://127.0.0.1:{port}/healthz", timeout=10)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert "server" not in answer.headers
    finally:
        made.stop()
    made.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/healthz", timeout=10)


def test_an_address_that_is_taken(office: Office) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(AddressTaken, match=rf"Another program listens at 127\.0\.0\.1:{port} already"):
            server(office, port=port).start()


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours(office: Office, host: str) -> None:
    with pytest.raises(BridgeError, match=r"Change web\.listen"):
        server(office, host=host).start()


def test_one_that_was_never_started_can_be_stopped(office: Office) -> None:
    made = server(office, port=9)
    made.stop()
    assert made.port == 9
