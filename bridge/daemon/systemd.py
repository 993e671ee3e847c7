"""What is said to systemd: ready, reloading, alive, stopping (sd_notify(3)). Silent where nobody listens."""

from __future__ import annotations

import socket
from collections.abc import Mapping


class Notifier:
    """Speaks to the service manager over the socket that the environment names."""

    def __init__(self, environ: Mapping[str, str], pid: int) -> None:
        """Read the environment once.

        Args:
            environ: ``NOTIFY_SOCKET``, ``WATCHDOG_USEC``, ``WATCHDOG_PID``.
            pid: this process's.
        """
        self._address = environ.get("NOTIFY_SOCKET", "")
        mine = environ.get("WATCHDOG_PID", str(pid)) == str(pid)
        usec = environ.get("WATCHDOG_USEC", "")
        self.watchdog_seconds = int(usec) / 1e6 if mine and usec.isdigit() else 0.0

    def ready(self, status: str) -> None:
        """Say that the service works."""
        self._send(f"READY=1\nSTATUS={status}")

    def reloading(self, monotonic: float) -> None:
        """Say that the configuration is being read; ``ready`` follows."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(monotonic * 1e6)}")

    def status(self, status: str) -> None:
        """Say how it does, in a sentence that ``systemctl status`` shows."""
        self._send(f"STATUS={status}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the service ends."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
                link.sendto(message.encode(), address)
        except OSError:
            # The service manager went away; the service goes on.
            return
