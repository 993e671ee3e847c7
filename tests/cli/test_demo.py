from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.sandbox.faults import CATALOGUE

Run = Callable[..., tuple[int, str, str]]


def test_the_list_of_what_can_go_wrong(run: Run) -> None:
    code, out, _ = run("demo", "--fault", "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[: len(CATALOGUE)]] == list(CATALOGUE)
    assert "[nth=N] [times=M or always] [person=ADDRESS]" in out


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("reste", "--fault: There is no fault named reste. Did you mean refuse, reset-after or stale?\n"),
        ("late=90", "--fault: The fault late does not take 90: give seconds from 1 to 60.\n"),
        ("", "--fault: The rule is empty. Begin with the name of a fault, such as reset-after.\n"),
    ],
)
def test_a_faulty_rule_ends_it_before_it_began(run: Run, rule: str, sentence: str) -> None:
    assert run("demo", "--once", "--fault", "500 createPage", "--fault", rule) == (2, "", sentence)
