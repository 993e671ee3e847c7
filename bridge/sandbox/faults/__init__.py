"""Faults that a test, a demo or a person switches on: one matches requests and strikes the n-th.

``CATALOGUE`` has every kind by name, ``parse`` reads a rule from its text, and ``core.faults.append(rule)`` puts it in
force; ``rule.struck`` counts, ``rule.over`` tells whether it strikes no more.
"""

from __future__ import annotations

from bridge.sandbox.faults.catalogue import CATALOGUE
from bridge.sandbox.faults.kinds import Effect, FaultError, Kind, Visit
from bridge.sandbox.faults.rule import Plain, Rule
from bridge.sandbox.faults.text import OPERATIONS, befallen, parse

__all__ = ["CATALOGUE", "OPERATIONS", "Effect", "FaultError", "Kind", "Plain", "Rule", "Visit", "befallen", "parse"]
