from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from bridge.daemon.once import Failure, Pass
from bridge.store.figures import Standing

from support.installation import Installation

Run = Callable[..., tuple[int, str, str]]
QUIET = Pass(looked_at=("ada@example.com",))
FAILURE = Failure("ben@example.com", "Gmail did not answer.")


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[Pass], list[list[str]]]:
    """Let the command find a pass; return the addresses that each call asked for."""

    def arrange(found: Pass) -> list[list[str]]:
        asked: list[list[str]] = []

        def one_pass(opened: object, addresses: list[str]) -> Pass:
            asked.append(addresses)
            return found

        monkeypatch.setattr("bridge.cli.sync.one_pass", one_pass)
        return asked

    return arrange


def test_a_quiet_pass(here: Installation, run: Run, passes: Callable[[Pass], list[list[str]]]) -> None:
    asked = passes(QUIET)
    assert run("sync") == (
        0,
        "Looked at 1 mailbox, wrote 0 pages, 0 comments, 0 attachments.\nNothing for you to do.\n",
        "",
    )
    assert run("sync", "ada@example.com", "ben@example.com")[0] == 0
    assert asked == [[], ["ada@example.com", "ben@example.com"]]


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (QUIET, 0),
        (Pass(looked_at=("ada@example.com",), failed=(FAILURE,)), 3),
        (Pass(busy=("ada@example.com",), failed=(FAILURE,)), 3),
        (Pass(looked_at=("ada@example.com",), threads=Standing(put_off=1)), 3),
        (Pass(failed=(FAILURE,)), 1),
    ],
)
def test_exit_codes(
    here: Installation, run: Run, passes: Callable[[Pass], list[list[str]]], found: Pass, code: int
) -> None:
    passes(found)
    assert run("sync")[0] == code


def test_json_is_alone(here: Installation, run: Run, passes: Callable[[Pass], list[list[str]]]) -> None:
    passes(Pass(looked_at=("ada@example.com",), failed=(FAILURE,), pages=2))
    code, out, err = run("sync", "--json")
    found = json.loads(out)
    assert (code, err) == (3, "")
    assert (found["looked_at"], found["pages"]) == (["ada@example.com"], 2)
    assert found["failed"] == [{"address": "ben@example.com", "reason": "Gmail did not answer."}]


def test_nobody_connected(here: Installation, run: Run) -> None:
    assert run("sync") == (
        1,
        "",
        "Nobody is connected yet. Connect the first person: mailbridge connect ADDRESS\n",
    )


def test_whoever_must_reconnect_is_named(here: Installation, run: Run) -> None:
    here.person("Cy Gray", grants={"google": "needs consent"})
    code, out, _ = run("sync")
    assert code == 1
    assert out == (
        "Looked at 0 mailboxes, wrote 0 pages, 0 comments, 0 attachments.\n"
        "  Not read: cy@example.com. Gmail must be connected again.\n"
        "Whose move it is: mailbridge status\n"
    )
