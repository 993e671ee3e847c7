from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bridge import __version__
from bridge.cli import main
from bridge.cli.output import exit_code
from bridge.errors import (
    BridgeError,
    ConfigError,
    NeedsConsent,
    RateLimited,
    SchemaTooNew,
    StoreError,
    StoreLocked,
    Temporary,
)

HEAVY = ("sqlmodel", "sqlalchemy", "googleapiclient", "fastapi", "rich", "requests", "structlog", "alembic", "nh3")


def help_text(columns: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    result = CliRunner().invoke(main.app, ["--help"], prog_name="mailbridge")
    assert result.exit_code == 0
    return result.stdout.splitlines()


def test_help_says_what_it_is_and_where_to_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = help_text(80, monkeypatch)
    assert lines[:2] == [
        "Publishes labelled Gmail threads to Confluence, as the person who labelled them.",
        "Usage: mailbridge [--config FILE] COMMAND ...        mailbridge COMMAND --help tells more",
    ]
    assert lines[-1] == "New here? Start with:  mailbridge demo"
    assert "  Look     status     what waits, and whose move it is" in lines
    assert "           held       what waits for a person's decision" in lines
    assert "  Mend     answer     decide about what is held" in lines


def test_help_has_two_columns_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        "  Look     status     what waits, and whose move it is"
        "                     explain   all that is known about one thread"
    ) in help_text(130, monkeypatch)


def test_help_names_every_command_once_under_a_heading(monkeypatch: pytest.MonkeyPatch) -> None:
    grouped = [name for names in main.GROUPS.values() for name in names]
    command = typer.main.get_command(main.app)
    assert isinstance(command, main.TyperGroup)
    existing = list(command.commands)
    assert sorted(command.list_commands(None)) == sorted(existing)
    assert all(command.commands[name].short_help for name in existing)
    existing = [name for name in existing if not command.commands[name].hidden]
    assert set(existing) <= set(grouped)
    shown = [line[11:].split()[0] for line in help_text(80, monkeypatch)[2:-1] if line[11:12].isalpha()]
    assert shown == [name for name in grouped if name in existing]


def test_without_a_command_the_help_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = CliRunner().invoke(main.app, [], prog_name="mailbridge")
    assert (result.exit_code, result.stdout.splitlines()) == (0, help_text(80, monkeypatch))


def test_version() -> None:
    result = CliRunner().invoke(main.app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"mailbridge {__version__}\n")


def test_an_unknown_command_is_a_usage_error_with_a_proposal() -> None:
    result = CliRunner().invoke(main.app, ["statu"])
    assert result.exit_code == 2
    assert "No such command 'statu'. Did you mean 'status'" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 2),
        (StoreLocked("x"), 11),
        (SchemaTooNew("x"), 78),
        (Temporary("x", provider="google"), 75),
        (RateLimited("x", provider="atlassian"), 75),
        (StoreError("x"), 1),
        (NeedsConsent("x", provider="google"), 1),
        (BridgeError("x"), 1),
        (ValueError("x"), None),
    ],
)
def test_exit_codes(error: Exception, code: int | None) -> None:
    assert exit_code(error) == code


def failing(error: BaseException) -> typer.Typer:
    app = typer.Typer(cls=main._Root, pretty_exceptions_enable=False)

    @app.callback()
    def root() -> None:
        """Nothing."""

    @app.command()
    def fail() -> None:
        raise error

    return app


def test_an_expected_error_is_one_sentence_on_standard_error() -> None:
    result = CliRunner().invoke(failing(StoreLocked("Another process holds it.")), ["fail"])
    assert (result.exit_code, result.stdout, result.stderr) == (11, "", "Another process holds it.\n")


def test_an_interrupt_ends_with_130() -> None:
    assert CliRunner().invoke(failing(KeyboardInterrupt()), ["fail"]).exit_code == 130


def test_any_other_error_keeps_its_traceback() -> None:
    result = CliRunner().invoke(failing(ZeroDivisionError("ours")), ["fail"])
    assert isinstance(result.exception, ZeroDivisionError)


def test_the_option_before_the_command_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))  # without a last good copy
    missing = tmp_path / "none.toml"
    result = CliRunner().invoke(main.app, ["--config", str(missing), "config", "check"])
    assert result.exit_code == 2
    assert result.stdout.startswith(f"{missing} has 1 fault; nothing was changed.\n")


def test_the_program_imports_nothing_heavy() -> None:
    program = f"import sys, bridge.cli.main; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    program = "import sys, bridge.cli.main; print(*(name for name in sys.modules if name.startswith('bridge.')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {name.split(".")[1] for name in done.stdout.split()} == {"cli"}


def test_it_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "bridge", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"mailbridge {__version__}\n"
