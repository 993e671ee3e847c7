"""The folder of real mail and official documents that lies beside the project and is read in place, never copied."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
"""The project's own folder."""


def shared_folder() -> Path:
    """Return where the folder should lie: MAILBRIDGE_SHARED, else ``shared`` beside the project's folder."""
    return Path(os.environ.get("MAILBRIDGE_SHARED") or ROOT.parent / "shared")


def has_shared() -> bool:
    """Return whether the folder is there."""
    return shared_folder().is_dir()


def shared_files(pattern: str) -> list[Path]:
    """Return the files that match a glob below the folder, sorted; none where it is absent (for parametrize)."""
    return sorted(path for path in shared_folder().glob(pattern) if path.is_file())


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the shared folder, or skip."""
    if not has_shared():
        pytest.skip(f"The shared samples are not at {shared_folder()}. Set MAILBRIDGE_SHARED to where they are.")
    return shared_folder()
