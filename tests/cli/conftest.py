"""An installation whose commands can be run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from bridge.cli.main import app

from support.installation import Installation

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Undo what a command says about the log, which would go to that command's closed output."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("MAILBRIDGE_CONFIG", str(tmp_path / "config.toml"))
    return Installation.make(tmp_path)


@pytest.fixture
def run() -> Run:
    """Run the program with arguments; return its exit code, standard output and standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(app, list(arguments), prog_name="mailbridge")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return call
