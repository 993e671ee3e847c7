"""``make scenarios``: runs the tests that show acceptance scenarios and prints every scenario with its outcome.

Exit code 1 where a test failed or a scenario that is due has no test; the last line is ``N of 94 shown``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_ROW = re.compile(r"^\| ([PXA]\d+) \| (.+?) \| ([^|]+) \|$", re.MULTILINE)
_DONE = re.compile(r"^Done so far: (.+)\.$", re.MULTILINE)

Outcomes = Mapping[str, Mapping[str, str]]
"""Scenario id (also of a part, "A41b") -> test -> "passed", "skipped" or "failed"."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A line of docs/scenarios.md; ``due`` is whether the piece of work that it belongs to is done."""

    id: str
    promise: str
    due_with: str
    due: bool


def read_scenarios(text: str) -> list[Scenario]:
    """Return the scenarios of docs/scenarios.md in the order of the file."""
    found = _DONE.search(text)
    done = found[1].split(", ") if found else []
    return [Scenario(name, promise, work, work in done) for name, promise, work in _ROW.findall(text)]


def tests_of(scenario: Scenario, outcomes: Outcomes) -> dict[str, str]:
    """Return the tests of a scenario and of its parts, with their outcomes."""
    tests: dict[str, str] = {}
    for name, found in outcomes.items():
        if name.rstrip("abcdefghijklmnopqrstuvwxyz") == scenario.id:
            tests.update(found)
    return tests


def outcome_of(scenario: Scenario, tests: Mapping[str, str]) -> str:
    """Return "shown", "failed", "skipped", "no test" (due, but nothing shows it) or "not due"."""
    if "failed" in tests.values():
        return "failed"
    if not scenario.due:
        return "not due"
    if not tests:
        return "no test"
    return "skipped" if "skipped" in tests.values() else "shown"


def report(scenarios: Sequence[Scenario], outcomes: Outcomes) -> tuple[list[str], bool]:
    """Return the lines to print and whether all is well."""
    lines, all_outcomes = [], []
    for scenario in scenarios:
        tests = tests_of(scenario, outcomes)
        outcome = outcome_of(scenario, tests)
        all_outcomes.append(outcome)
        when = f" (due with {scenario.due_with})" if outcome == "not due" else ""
        lines.append(f"{scenario.id:<4} {outcome:<8} {scenario.promise}{when}")
        lines += [f"              {result:<8} {test}" for test, result in sorted(tests.items())]
    lines.append(f"{all_outcomes.count('shown')} of {len(scenarios)} shown")
    return lines, not {"failed", "no test"} & set(all_outcomes)


def run_tests(out: Path, arguments: Sequence[str]) -> int:
    """Run every test that shows a scenario; the plugin ``scenario_record`` writes the outcomes to ``out``."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-m", "scenario", *arguments]
    environment = {**os.environ, "MAILBRIDGE_SCENARIOS_OUT": str(out)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def main(arguments: Sequence[str]) -> int:
    """Run the tests, print the list, return the exit code."""
    scenarios = read_scenarios((ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "outcomes.json"
        code = run_tests(out, arguments)
        outcomes = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    lines, good = report(scenarios, outcomes)
    print("\n".join(lines))
    return 0 if good and code in (0, 5) else 1  # 5: pytest found no such test


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
