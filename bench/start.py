"""How long somebody waits for ``mailbridge --help``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from bench.figures import Figure, wall

LIMIT_SECONDS = 0.4


def measure(times: int = 5) -> list[Figure]:
    """Take the best of several starts: the first one reads the files from the disk."""
    ours = _best([sys.executable, "-m", "bridge", "--help"], times)
    typer = _best([sys.executable, "-c", "import typer.main"], times)
    return [
        Figure("start: mailbridge --help", ours, "s", "at most", LIMIT_SECONDS),
        Figure("start: mailbridge --help", ours, "s", "import typer, nothing else", typer),
    ]


def _best(command: Sequence[str], times: int) -> float:
    return min(wall(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(times))
