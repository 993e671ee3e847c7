"""Every kind of fault by its name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bridge.sandbox.faults import connections, limits, refusals, states
from bridge.sandbox.faults.kinds import Kind

GROUPS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    ("The connection and its answers", connections.KINDS),
    ("Refusals", refusals.KINDS),
    ("Limits", limits.KINDS),
    ("What ends, what stays half, what is old", states.KINDS),
)
"""The kinds in the order in which people are shown them, with a heading each."""

CATALOGUE: Mapping[str, Kind] = MappingProxyType({kind.name: kind for _, kinds in GROUPS for kind in kinds})
