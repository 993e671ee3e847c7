from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.daemon.systemd import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """A service manager that listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.bind(str(tmp_path / "notify"))
        link.settimeout(10)
        yield link


def test_what_is_said(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()}, 7)
    notifier.ready("Looking at mailboxes.")
    notifier.reloading(12.3456789)
    notifier.status("Degraded.")
    notifier.alive()
    notifier.stopping()
    assert [manager.recv(1000) for _ in range(5)] == [
        b"READY=1\nSTATUS=Looking at mailboxes.",
        b"RELOADING=1\nMONOTONIC_USEC=12345678",
        b"STATUS=Degraded.",
        b"WATCHDOG=1",
        b"STOPPING=1",
    ]


def test_an_abstract_socket() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.bind("")  # the kernel picks an abstract name
        link.settimeout(10)
        Notifier({"NOTIFY_SOCKET": "@" + link.getsockname()[1:].decode()}, 7).alive()
        assert link.recv(1000) == b"WATCHDOG=1"


def test_silent_where_nobody_listens(tmp_path: Path) -> None:
    Notifier({}, 7).alive()
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}, 7).stopping()


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, 0.0),
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "7"}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "8"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
    ],
)
def test_the_watchdog_is_fed_where_it_waits_for_this_process(environ: dict[str, str], seconds: float) -> None:
    assert Notifier(environ, 7).watchdog_seconds == seconds
