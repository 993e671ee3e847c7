from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bridge.sync.spool import spooled


def test_a_spooled_file_is_private_measured_and_gone_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    with spooled(folder, b"abc") as data:
        assert (data.size, data.sha256) == (3, hashlib.sha256(b"abc").hexdigest())
        assert list(folder.iterdir()) == [], "it has no name, so a killed program leaves nothing"
        assert folder.stat().st_mode & 0o077 == 0
        for _ in range(2):
            with data.opened() as stream:
                assert stream.read() == b"abc"
    assert list(folder.iterdir()) == []


def test_it_is_gone_after_a_failure_too(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), spooled(tmp_path, b""):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
