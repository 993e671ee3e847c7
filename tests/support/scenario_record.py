"""Writes down which tests show which acceptance scenario, and how they ended.

With MAILBRIDGE_SCENARIOS_OUT set to a file, a run ends by writing ``{"A22": {"tests/...::test_x": "passed"}}`` there.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

_ID = re.compile(r"[PXA]\d{1,2}[a-z]?")
_RANK = ["passed", "skipped", "failed"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put each test's scenario ids where its reports carry them, also out of a worker process."""
    for item in items:
        for marker in item.iter_markers("scenario"):
            for scenario in marker.args:
                if not isinstance(scenario, str) or not _ID.fullmatch(scenario):
                    raise pytest.UsageError(f"{item.nodeid}: scenario({scenario!r}) is no id such as A22 or A41b.")
                item.user_properties.append(("scenario", scenario))


class Recorder:
    """Collects the outcomes in the process that sees every report."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[str, dict[str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst outcome of a test's three phases."""
        for name, scenario in report.user_properties:
            if name == "scenario":
                tests = self.outcomes.setdefault(str(scenario), {})
                tests[report.nodeid] = max(tests.get(report.nodeid, "passed"), report.outcome, key=_RANK.index)

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        self.path.write_text(json.dumps(self.outcomes, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Record in the controlling process only."""
    path = os.environ.get("MAILBRIDGE_SCENARIOS_OUT")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(Path(path)), "scenario-recorder")
