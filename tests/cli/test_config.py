from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bridge.cli.config import config_app

GOOD = """\
[google]
client_id = "g"
domains = ["example.com"]
[atlassian]
client_id = "a"
sites = ["https://example.atlassian.net"]
[[routes]]
name = "eng"
label = "Confluence/ENG"
space = "ENG"
"""
FAULTY = GOOD.replace("sites", "site") + 'replies = "comment"\n'
SECRETS = {"MAILBRIDGE_GOOGLE__CLIENT_SECRET": "x1", "MAILBRIDGE_ATLASSIAN__CLIENT_SECRET": "y2"}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.toml"
    monkeypatch.setenv("MAILBRIDGE_CONFIG", str(path))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("MAILBRIDGE_STORE__SEAL_KEY_FILE", str(tmp_path / "seal_key"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    path.write_text(GOOD)
    return path


def run(*arguments: str, environ: dict[str, str] = SECRETS) -> tuple[int, str]:
    result = CliRunner().invoke(config_app, list(arguments), env=environ)
    return result.exit_code, result.stdout


def test_check_of_a_good_file(config: Path) -> None:
    assert run("check") == (
        0,
        f"{config} is valid, with 1 route.\n"
        "A running service applies it by itself; at once with: systemctl reload mailbridge\n",
    )
    assert run("check", "--json") == (
        0,
        json.dumps({"path": str(config), "valid": True, "faults": [], "notes": []}, indent=2) + "\n",
    )


def test_check_of_a_file_without_routes_says_that_nothing_will_be_published(config: Path) -> None:
    config.write_text(GOOD[: GOOD.index("[[routes]]")])
    code, out = run("check")
    assert code == 0
    assert out.splitlines()[:2] == [
        f"{config} is valid, with 0 routes.",
        "  There is no route: nothing will be published. Add [[routes]] with name, label and space.",
    ]


def test_check_of_a_faulty_file_tells_every_fault_and_ends_with_2(config: Path, tmp_path: Path) -> None:
    config.write_text(FAULTY)
    (tmp_path / "last-good.toml").write_text(GOOD)
    assert run("check") == (
        2,
        f"{config} has 3 faults; nothing was changed and the service runs on with the last good one.\n"
        "  line 4   atlassian.sites      is missing. Write which sites may be chosen, "
        'as ["https://example.atlassian.net"].\n'
        '  line 6   atlassian.site       unknown key. Did you mean "sites"?\n'
        '  line 11  routes[1].replies    "comment" is not allowed. Use "comments" or "none".\n'
        "Mend them and run this again.\n",
    )


@pytest.mark.parametrize("command", ["check", "show"])
def test_json_of_a_faulty_file_is_json_alone(config: Path, command: str) -> None:
    config.write_text(GOOD.replace("domains", "domain"))
    code, out = run(command, "--json")
    assert code == 2
    found = json.loads(out)
    assert found["valid"] is False
    assert found["faults"][1] == {
        "line": 3,
        "column": 1,
        "key": "google.domain",
        "what": 'unknown key. Did you mean "domains"?',
    }


def test_check_refuses_a_secret_that_others_can_read(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "google"
    file.write_text("x1")
    file.chmod(0o644)
    config.write_text(GOOD.replace("[atlassian]", f'client_secret_file = "{file}"\n[atlassian]'))
    code, out = run("check")
    assert code == 2
    assert out.splitlines()[1] == (
        f"  line 4  google.client_secret_file    {file} is open to others (mode 0644). Run: chmod 600 {file}"
    )


def test_check_notes_a_secret_that_it_cannot_find(config: Path) -> None:
    code, out = run("check", environ={"MAILBRIDGE_GOOGLE__CLIENT_SECRET": "x1"})
    assert code == 0
    assert out.splitlines()[1].startswith("  No atlassian_client_secret is known: no file is named for it.")


def test_show(config: Path) -> None:
    code, out = run("show")
    assert code == 0
    assert out.startswith(f"# {config}\n\n[google]\n")
    assert "x1" not in out
    code, out = run("show", "--json")
    assert code == 0
    assert {"key": "google.client_id", "value": "g", "from": "file", "line": 2, "variable": None} in json.loads(out)[
        "values"
    ]


def test_show_of_a_faulty_file_ends_with_2(config: Path) -> None:
    config.write_text(FAULTY)
    code, out = run("show")
    assert code == 2
    assert out.startswith(f"{config} has 3 faults; nothing was changed.\n")


def test_the_option_of_the_whole_program_names_the_file(config: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(FAULTY)
    app = typer.Typer()
    app.add_typer(config_app, name="config")

    @app.callback()
    def main(config: str = typer.Option("", "--config")) -> None:
        """Take the option that stands before every command."""

    result = CliRunner().invoke(app, ["--config", str(other), "config", "check"], env=SECRETS)
    assert result.exit_code == 2
    assert result.stdout.startswith(f"{other} has 3 faults")


def test_help_does_not_load_the_room_of_the_configuration() -> None:
    program = "import sys, bridge.cli.config; print([name for name in sys.modules if name.startswith('bridge.config')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
