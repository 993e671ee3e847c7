"""``mailbridge demo`` as it is installed, in a process of its own that sees one folder and is watched meanwhile."""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_WATCH = """\
import json, os, sys

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_record = os.open(os.environ["WATCH_RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        where = arguments[0] if event == "socket.getaddrinfo" else arguments[1]
        where = where[0] if isinstance(where, tuple) else where
        os.write(_record, (json.dumps(["address", os.fsdecode(where) if where else ""]) + "\\n").encode())
    elif event == "open" and isinstance(arguments[0], (str, bytes)) and (arguments[2] or 0) & _WRITING:
        os.write(_record, (json.dumps(["written", os.path.abspath(os.fsdecode(arguments[0]))]) + "\\n").encode())
    elif event == "sqlite3.connect":
        os.write(_record, (json.dumps(["written", os.path.abspath(os.fsdecode(arguments[0]))]) + "\\n").encode())


sys.addaudithook(_watch)
"""


@dataclass
class DemoProcess:
    """The command, and the folder of everything that it may touch."""

    folder: Path

    def __post_init__(self) -> None:
        for name in ("tmp", "home", "work", "watch"):
            (self.folder / name).mkdir()
        (self.folder / "watch" / "sitecustomize.py").write_text(_WATCH)

    @property
    def record(self) -> Path:
        """What the process did, a JSON pair a line."""
        return self.folder / "record"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it; its output is text in pipes."""
        command = shutil.which("mailbridge", path=str(Path(sys.executable).parent))
        assert command is not None, "mailbridge is not installed beside this Python"
        environ = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "VIRTUAL_ENV")} | {
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "PYTHONPATH": str(self.folder / "watch"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "WATCH_RECORD": str(self.record),
        }
        return subprocess.Popen(
            [command, "demo", *arguments],
            env=environ,
            cwd=self.folder / "work",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def left(self) -> list[str]:
        """What stands in its folders now."""
        return [str(path) for name in ("tmp", "home", "work") for path in (self.folder / name).rglob("*")]

    @property
    def addresses(self) -> list[str]:
        """The hosts (and local sockets) that it and its children connected to or looked up."""
        return [value for kind, value in self._recorded() if kind == "address"]

    @property
    def beyond_loopback(self) -> list[str]:
        """Those of them that are not on this machine."""
        return [value for value in self.addresses if not _is_here(value)]

    @property
    def written_elsewhere(self) -> list[str]:
        """The files that were opened for writing outside of its folder for temporary files; devices are none."""
        own = (f"{self.folder}/tmp/", "/dev/")
        return [value for kind, value in self._recorded() if kind == "written" and not value.startswith(own)]

    def _recorded(self) -> list[list[Any]]:
        return [json.loads(line) for line in self.record.read_text().splitlines()]


def _is_here(host: str) -> bool:
    if not host or host == "localhost" or host.startswith(("/", "\0")):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
