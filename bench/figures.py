"""A figure and what it is held against."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report.

    ``against`` says what ``than`` is: "at most" or "at least" makes it a limit, anything else names a peer; ''
    stands for a figure that is told for its own sake.
    """

    name: str
    value: float
    unit: str
    against: str = ""
    than: float = 0.0

    @property
    def ratio(self) -> float | None:
        """The figure in terms of what it is held against; None where that is nothing."""
        return self.value / self.than if self.against and self.than else None

    @property
    def met(self) -> bool | None:
        """Whether the limit is kept; None for a peer."""
        if self.against == "at most":
            return self.value <= self.than
        if self.against == "at least":
            return self.value >= self.than
        return None

    def line(self) -> str:
        """Return the figure as a line of text."""
        said = f"{self.name:<50} {_number(self.value):>9} {self.unit:<9}"
        if not self.against:
            return said.rstrip()
        verdict = {True: "  kept", False: "  MISSED", None: ""}[self.met]
        ratio = "" if self.ratio is None else f"  {self.ratio:6.2f}x"
        return f"{said}  {self.against:<36} {_number(self.than):>9}{ratio}{verdict}"

    def as_object(self) -> dict[str, object]:
        """Return the figure as a JSON object."""
        return {
            "name": self.name,
            "value": round(self.value, 6),
            "unit": self.unit,
            "against": self.against,
            "than": round(self.than, 6),
            "ratio": None if self.ratio is None else round(self.ratio, 4),
            "met": self.met,
        }


@dataclass(slots=True)
class Cpu:
    """CPU seconds of this process, all threads, user and system, one number a stretch."""

    stretches: list[float] = field(default_factory=list)

    @contextmanager
    def stretch(self) -> Iterator[None]:
        """Measure a block."""
        began = time.process_time()
        yield
        self.stretches.append(time.process_time() - began)

    def each(self, count: int) -> float:
        """Return the milliseconds of one of ``count`` equal things in a stretch: the median over the stretches."""
        return middle(self.stretches) / count * 1000


def middle(values: Sequence[float]) -> float:
    """Return the median; a machine that was busy for a moment does not move it."""
    return quantile(values, 0.5)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def wall(work: Callable[[], object]) -> float:
    """Return the seconds that passed while the work was done."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:,.3f}"
