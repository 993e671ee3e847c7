"""The command as a process of its own, against a sandbox over real HTTP: one redirect served, one address pasted."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
import requests

from bridge.sandbox.serve import serve
from bridge.sandbox.world import ATLASSIAN_CLIENT, GOOGLE_CLIENT, SECRET, World

from support.consents import ADA

CONFIG = """\
[google]
client_id = "{google}"
domains = ["example.com"]
[atlassian]
client_id = "{atlassian}"
sites = ["{base}"]
[store]
url = "sqlite:///{folder}/mailbridge.db"
seal_key_file = "{folder}/seal_key"
[web]
listen = "127.0.0.1:{port}"
[endpoints]
google = "{base}/google"
atlassian = "{base}/atlassian"
[[routes]]
name = "eng"
label = "Confluence/ENG"
space = "ENG"
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World()
    made.hire(ADA, "Ada Lovelace")
    with socket.socket() as free, serve(made.app) as server:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        made.served_at(server.url)
        made.register([f"http://localhost:{port}/oauth/{provider}" for provider in ("google", "atlassian")])
        config = CONFIG.format(
            google=GOOGLE_CLIENT, atlassian=ATLASSIAN_CLIENT, base=server.url, folder=tmp_path, port=port
        )
        (tmp_path / "config.toml").write_text(config)
        free.close()
        yield made


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environ = {
        **os.environ,
        "STATE_DIRECTORY": str(folder),
        "MAILBRIDGE_GOOGLE__CLIENT_SECRET": SECRET,
        "MAILBRIDGE_ATLASSIAN__CLIENT_SECRET": SECRET,
        "PYTHONUNBUFFERED": "1",
    }
    code = "from bridge.cli.main import main; main()"
    command = [sys.executable, "-c", code, "--config", str(folder / "config.toml"), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environ)


def link(stream: IO[str], beginning: str) -> str:
    for line in stream:
        if beginning in line:
            return line.rpartition("  ")[2].strip()
    pytest.fail(f"no line with {beginning!r}")


def test_one_redirect_is_served_by_the_command_itself_and_one_is_pasted(world: World, tmp_path: Path) -> None:
    process = start(tmp_path, "connect", ADA)
    try:
        assert process.stdout is not None
        assert process.stdin is not None
        back = world.google.oauth.approve(link(process.stdout, "Step 1 of 2: Gmail."), ADA)
        page = requests.get(back.replace("localhost", "127.0.0.1"), timeout=20)
        assert "Gmail of ada@example.com is connected." in page.text
        pasted: Any = world.atlassian.approve(link(process.stdout, "Step 2 of 2: Confluence."), ADA)
        said, told = process.communicate(f"{pasted}\n", timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, told
    assert said.splitlines()[-1].startswith("Connected as Ada Lovelace on 127.0.0.1:")
    assert said.splitlines()[-1].endswith('Now label a thread "Confluence/ENG" in Gmail. 0 threads have it yet.')
    assert f"A new seal key was made: {tmp_path}/seal_key." in told
    assert "Keep a copy elsewhere" in told
    assert (tmp_path / "seal_key").stat().st_mode & 0o777 == 0o600


def test_a_wrong_seal_key_refuses_to_start(world: World, tmp_path: Path) -> None:
    process = start(tmp_path, "connect", "nobody@other.example")
    _, told = process.communicate("", timeout=60)
    assert process.returncode == 1
    assert "only addresses that end in @example.com can" in told
    (tmp_path / "seal_key").write_text("x" * 43 + "=\n")
    process = start(tmp_path, "connect", ADA)
    said, told = process.communicate("", timeout=60)
    assert process.returncode == 1
    assert said == ""
    assert told.strip() == (
        "The seal key is not the one that this database's tokens were sealed with. "
        "Put the right key back from your copy; nothing was changed."
    )
