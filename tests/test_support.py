"""The rules of tests/support: scenario ids are recorded, skips fail in CI, each test has its own database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from support.postgres import Postgres
from support.shared import ROOT

SAMPLE = """
import pytest

@pytest.mark.scenario("A22")
def test_good():
    pass

@pytest.mark.scenario("A22", "A41b")
def test_bad():
    assert False

def test_skipped():
    pytest.skip("no such thing here")

@pytest.mark.live
def test_live():
    pytest.skip("never seen in CI")
"""


def run_sample(folder: Path, text: str = SAMPLE, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with the project's plugins on one file of tests."""
    (folder / "test_sample.py").write_text(text)
    plugins = [word for name in ("ci", "scenario_record") for word in ("-p", f"support.{name}")]
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder)]
    command += ["-p", "no:cacheprovider", *plugins, str(folder / "test_sample.py")]
    variables = {key: value for key, value in os.environ.items() if key != "CI" and not key.startswith("COV_")}
    variables |= {"PYTHONPATH": str(ROOT / "tests"), **environment}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def test_outcomes_are_recorded_by_scenario(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    run_sample(tmp_path, MAILBRIDGE_SCENARIOS_OUT=str(out))
    assert json.loads(out.read_text()) == {
        "A22": {"test_sample.py::test_bad": "failed", "test_sample.py::test_good": "passed"},
        "A41b": {"test_sample.py::test_bad": "failed"},
    }


def test_an_id_that_is_none_is_refused(tmp_path: Path) -> None:
    done = run_sample(tmp_path, SAMPLE.replace("A41b", "B1"))
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "scenario('B1') is no id" in done.stdout + done.stderr


def test_a_skip_fails_in_ci_and_live_tests_are_left_out(tmp_path: Path) -> None:
    done = run_sample(tmp_path, CI="true", MAILBRIDGE_SHARED=str(tmp_path))
    assert "test_skipped was skipped, and in CI nothing may be" in done.stdout
    assert "2 failed, 1 passed, 1 deselected" in done.stdout


def test_a_skip_is_a_skip_elsewhere(tmp_path: Path) -> None:
    done = run_sample(tmp_path, MAILBRIDGE_SHARED=str(tmp_path))
    assert "1 failed, 1 passed, 2 skipped" in done.stdout


def test_a_database_is_empty_and_goes_away_under_open_connections(postgres_server: Postgres) -> None:
    url = postgres_server.create_database()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        assert connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone() == (0,)
        postgres_server.drop_database(url)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
