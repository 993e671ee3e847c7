"""The unit file is one that systemd accepts without a word, and it is closed tightly."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from support.shared import ROOT

UNIT = ROOT / "systemd" / "mailbridge.service"


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt install systemd).")
    command = [program, *arguments, str(UNIT)]
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_systemd_finds_nothing_to_say() -> None:
    done = analyze("verify", "--man=no")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_exposure_is_at_most_two() -> None:
    done = analyze("security", "--offline=true", "--no-pager")
    found = re.search(r"exposure level for mailbridge\.service: ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= 2.0


def test_every_line_of_the_service_is_explained() -> None:
    section = UNIT.read_text().partition("[Service]\n")[2].partition("\n[Install]")[0]
    for block in section.strip().split("\n\n"):
        assert block.startswith("#"), f"Explain this block first:\n{block}"


def test_reload_and_secrets_are_as_the_documents_say() -> None:
    lines = UNIT.read_text().splitlines()
    assert "Type=notify" in lines
    assert "ExecReload=/bin/kill -HUP $MAINPID" in lines
    credentials = [line.partition("=")[2].partition(":")[0] for line in lines if line.startswith("LoadCredential=")]
    assert credentials == ["google_client_secret", "atlassian_client_secret", "seal_key"]
