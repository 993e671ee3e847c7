"""Each protection that ``make mutations`` takes out stands where it is taken out, and what is left is Python."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from support import mutations


def test_there_are_ten() -> None:
    assert [mutation.name for mutation in mutations.MUTATIONS] == [
        "intent commit",
        "look before resend",
        "settle time",
        "publication lease",
        "claim",
        "create-only attachment",
        "restriction read-back",
        "stale-thread check",
        "refresh lease",
        "epoch",
    ]


@pytest.mark.parametrize("mutation", mutations.MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_applies(mutation: mutations.Mutation, tmp_path: Path) -> None:
    files = {Path("bridge") / edit.file for edit in mutation.edits}
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(mutations.ROOT / file, tmp_path / file)
    mutations.apply(mutation, tmp_path)
    for file in files:
        ast.parse((tmp_path / file).read_text())


def test_a_text_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bridge").mkdir()
    (tmp_path / "bridge" / "one.py").write_text("twice twice")
    for old in ("never", "twice"):
        mutation = mutations.Mutation("wrong", mutations.Edit("one.py", old, ""))
        with pytest.raises(mutations.NotFound, match="wrong"):
            mutations.apply(mutation, tmp_path)
