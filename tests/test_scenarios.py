"""``make scenarios`` says of each scenario whether it is shown, and counts only what is."""

from __future__ import annotations

from support.scenarios import ROOT, read_scenarios, report

TEXT = """
Done so far: Main job, Exactly once.

| id | promise | due with |
| --- | --- | --- |
| P1 | A page. | Main job |
| A41 | Losses. | Exactly once |
| A42 | Tokens. | Exactly once |
| X1 | Later. | Routes |
"""


def test_outcomes_and_count() -> None:
    outcomes = {
        "P1": {"t::a": "passed"},
        "A41": {"t::b": "passed"},
        "A41b": {"t::c": "failed"},
        "X1": {"t::a": "passed"},
    }
    lines, good = report(read_scenarios(TEXT), outcomes)
    assert lines == [
        "P1   shown    A page.",
        "              passed   t::a",
        "A41  failed   Losses.",
        "              passed   t::b",
        "              failed   t::c",
        "A42  no test  Tokens.",
        "X1   not due  Later. (due with Routes)",
        "              passed   t::a",
        "1 of 4 shown",
    ]
    assert not good


def test_all_well_when_everything_due_is_shown() -> None:
    outcomes = {"P1": {"t::a": "passed"}, "A41a": {"t::b": "passed"}, "A42": {"t::c": "passed"}}
    lines, good = report(read_scenarios(TEXT), outcomes)
    assert lines[-1] == "3 of 4 shown"
    assert good


def test_a_skipped_scenario_is_not_shown() -> None:
    lines, _ = report(read_scenarios(TEXT), {"P1": {"t::a": "passed", "t::b": "skipped"}})
    assert lines[0] == "P1   skipped  A page."
    assert lines[-1] == "0 of 4 shown"


def test_the_document_has_every_scenario_once() -> None:
    scenarios = read_scenarios((ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8"))
    expected = [
        f"{letter}{number}" for letter, last in (("P", 24), ("X", 24), ("A", 46)) for number in range(1, last + 1)
    ]
    assert [scenario.id for scenario in scenarios] == expected
    works = {"Main job", "Exactly once", "Mail fidelity", "People connect", "Routes", "Service", "Distributed"}
    assert {scenario.due_with for scenario in scenarios} == works
    assert len({scenario.promise for scenario in scenarios}) == len(scenarios)
