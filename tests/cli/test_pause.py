from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from bridge.store import accounts, pauses, threads

from support.installation import Installation

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def by_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "root")


def scopes(here: Installation) -> list[str]:
    with here.store.read() as session:
        return [row.scope for row in pauses.in_force(session, here.now)]


def test_all_writing_is_paused_and_goes_on(here: Installation, run: Run) -> None:
    ada = here.person("Ada Lovelace")
    here.daemon(started=here.ago(hours=3), looked=here.now)
    later = here.ago(hours=-5)
    here.touched(ada, "t1", due_at=later)
    assert run("pause", "--all", "--why", "moving spaces") == (
        0,
        "Paused: all writing. Mail is still looked at, nothing is written, and nothing is lost.\n"
        "Go on with: mailbridge resume --all\n",
        "",
    )
    code, out, _ = run("pause", "--all")
    assert (code, out.splitlines()[1]) == (0, "Go on with: mailbridge resume --all")
    assert out.startswith("Was paused before: all writing, by root: moving spaces, ")
    assert scopes(here) == ["all"]
    first, second, *_ = run("status")[1].splitlines()
    assert "version 1.2.0. Paused: all writing. All services answer." in first
    assert second.startswith("Paused      all writing, by root: moving spaces, ")
    assert second.endswith(" ago. Go on: mailbridge resume --all")
    assert run("resume", "--all") == (
        0,
        "Goes on: all writing. What waited for it is due now.\nSee: mailbridge status\n",
        "",
    )
    assert run("resume", "--all") == (0, "Was not paused: all writing.\n", "")
    with here.store.read() as session:
        row = threads.of_thread(session, ada.id or 0, "t1")
    assert row is not None
    assert row.due_at < later


def test_a_route_and_a_person_are_paused_each_by_itself(here: Installation, run: Run) -> None:
    here.person("Ada Lovelace")
    assert run("pause", "--route", "eng")[1].splitlines()[1] == "Go on with: mailbridge resume --route eng"
    assert run("pause", "--account", "Ada@example.com")[1].startswith("Paused: ada@example.com. ")
    assert scopes(here) == ["route:eng", "account:1"]
    with here.store.read() as session:
        ada = accounts.by_address(session, "ada@example.com")
    assert ada is not None
    assert ada.paused
    assert "1 paused" in run("accounts")[1]
    code, out, _ = run("resume", "--route", "eng")
    assert (code, out.splitlines()) == (
        0,
        [
            'Goes on: route "eng". What waited for it is due now.',
            "Still paused: ada@example.com. Go on with: mailbridge resume --account ada@example.com",
        ],
    )
    code, out, _ = run("accounts", "resume", "ada@example.com")
    assert out.splitlines()[-1].startswith("The service does not run. Start it: mailbridge run")
    assert scopes(here) == []


def test_json(here: Installation, run: Run) -> None:
    paused = json.loads(run("pause", "--all", "--json")[1])
    assert (paused["scope"], paused["paused"], paused["why"], paused["changed"]) == ("all", True, "by root", True)
    resumed = json.loads(run("resume", "--all", "--json")[1])
    assert resumed == {"scope": "all", "paused": False, "changed": True, "still_paused": []}


@pytest.mark.parametrize("command", ["pause", "resume"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Say what: --all, --route NAME or --account ADDRESS."),
        (("--all", "--route", "eng"), "Say what: --all, --route NAME or --account ADDRESS."),
        (("--route", "nope"), 'The configuration has no route "nope". See: mailbridge config show'),
        (("--account", "eve@example.com"), "eve@example.com is not connected here. See: mailbridge accounts list"),
    ],
)
def test_what_is_not_there_is_said(
    here: Installation, run: Run, command: str, options: tuple[str, ...], said: str
) -> None:
    assert run(command, *options) == (1, "", said + "\n")
    assert scopes(here) == []


def test_a_route_that_left_the_configuration_can_still_go_on(here: Installation, run: Run) -> None:
    run("pause", "--route", "eng")
    here.config.write_text(here.config.read_text().replace('name = "eng"', 'name = "other"'))
    assert run("resume", "--route", "eng")[0] == 0
    assert scopes(here) == []
