"""Fixtures and rules for the whole tree of tests; each is explained in the file of ``tests/support`` that holds it."""

from __future__ import annotations

pytest_plugins = ["support.shared", "support.postgres", "support.ci", "support.scenario_record"]
