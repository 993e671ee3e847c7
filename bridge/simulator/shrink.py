"""The shortest beginning of a failing simulation that still fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bridge.simulator.run import Order, Outcome


def shortest(failed: Outcome, simulate: Callable[[Order], Outcome]) -> Outcome:
    """Return the outcome of the failing run with the fewest acts; the run itself where no shorter one fails.

    The seed stays the same, so a run that ends after the k-th act is the same up to there; then all settles. Halving
    supposes that what failed after k acts fails after more too, which holds often enough: what is returned did fail.

    Args:
        failed: a run with violations.
        simulate: runs an order.
    """
    found, low, high = failed, 0, len(failed.acts)
    while low < high:
        middle = (low + high) // 2
        tried = simulate(replace(failed.order, acts=middle))
        if tried.violations:
            found, high = tried, middle
        else:
            low = middle + 1
    return found
