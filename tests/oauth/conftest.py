"""An installation beside a sandbox company."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.consents import Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Give Ada, Ben and a fresh installation."""
    made = Office(tmp_path)
    yield made
    made.store.close()
