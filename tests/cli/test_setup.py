from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.installation import CONFIG, Installation


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file and nothing else."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("MAILBRIDGE_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("MAILBRIDGE_WEB__PUBLIC_URL", "https://mailbridge.example.com")
    text = CONFIG.format(database=tmp_path / "mailbridge.db", key=tmp_path / "seal_key", subjects="false")
    (tmp_path / "config.toml").write_text(text)
    return tmp_path


def test_what_both_consoles_are_told_and_the_first_key(fresh: Path, run: Any) -> None:
    code, said, _ = run("setup")
    assert code == 0
    for part in (
        "https://mailbridge.example.com/oauth/google",
        "https://mailbridge.example.com/oauth/atlassian",
        "https://www.googleapis.com/auth/gmail.readonly",
        "read:content-details:confluence",
        f"{fresh}/seal_key was made.",
        "KEEP A COPY",
    ):
        assert part in said
    assert "offline_access" not in said
    assert said.splitlines()[-1].endswith("then run: mailbridge config check")
    assert (fresh / "seal_key").stat().st_mode & 0o777 == 0o600
    assert not (fresh / "mailbridge.db").exists()
    key = (fresh / "seal_key").read_text()
    assert "Seal key    is there." in run("setup")[1]
    assert (fresh / "seal_key").read_text() == key
    assert key.strip() not in said


def test_as_json(fresh: Path, run: Any) -> None:
    found = json.loads(run("setup", "--json")[1])
    assert found["google"]["redirect_url"] == "https://mailbridge.example.com/oauth/google"
    assert found["seal_key_made"] is True
    assert found["atlassian"]["scopes"][0] == "read:page:confluence"
    assert json.loads(run("setup", "--json")[1])["seal_key_made"] is False


def test_a_lost_key_is_not_replaced_behind_ones_back(here: Installation, tmp_path: Path, run: Any) -> None:
    (tmp_path / "seal_key").unlink()
    code, said, _ = run("setup")
    assert code == 0
    assert "is not there, but a database is. Put the key back from your copy" in said
    assert not (tmp_path / "seal_key").exists()


def test_a_key_that_others_can_read(here: Installation, tmp_path: Path, run: Any) -> None:
    (tmp_path / "seal_key").chmod(0o644)
    code, _, told = run("setup")
    assert code == 2
    assert "chmod 600" in told
