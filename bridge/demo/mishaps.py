"""Tells a visitor when a fault struck, and when the product has got over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bridge.sandbox.core import Core
from bridge.sandbox.faults import CATALOGUE, Rule


@dataclass
class Mishaps:
    """Looks at the rules in force.

    A fault is got over when requests to the same service succeed again, no rule will strike any more and nothing
    waits in the product.

    Args:
        core: of the sandbox.
        at_rest: whether nothing waits in the product.
    """

    core: Core
    at_rest: Callable[[], bool]
    _told: dict[int, int] = field(default_factory=dict)
    _struck_at: dict[str, int] = field(default_factory=dict)

    def news(self) -> list[str]:
        """Return a line for each thing that happened since the last look."""
        with self.core.lock:
            rules = [rule for rule in self.core.faults if isinstance(rule, Rule)]
            at, mark = f"{self.core.clock.now().astimezone():%H:%M:%S}", self.core.journal.mark()
            told = [f"{at}  {line}" for rule in rules for line in self._strikes(rule, mark)]
            self._told = {id(rule): rule.struck for rule in rules}
            calm = all(rule.over for rule in rules) and self._answered()
        if self._struck_at and not told and calm and self.at_rest():
            self._struck_at.clear()
            told.append(f"{at}  Recovered: nothing waits any more")
        return told

    def _strikes(self, rule: Rule, mark: int) -> Iterator[str]:
        more = rule.struck - self._told.get(id(rule), 0)
        if more <= 0:
            return
        operation, person = rule.last
        self._struck_at["google" if operation.startswith(("gmail.", "google.")) else "atlassian"] = mark
        words = CATALOGUE[rule.kind].words.rstrip(".") if rule.kind in CATALOGUE else rule.kind
        whose = f" for {person.partition('@')[0].capitalize()}" if person else ""
        often = f" ({more} times)" if more > 1 else ""
        yield f"Went wrong: {rule.kind} struck {operation}{whose}{often}: {words}"

    def _answered(self) -> bool:
        """Tell whether each service that was struck has answered well since."""
        return all(
            any(seen.service == service and 200 <= seen.status < 300 for seen in self.core.journal.since(mark))
            for service, mark in self._struck_at.items()
        )
