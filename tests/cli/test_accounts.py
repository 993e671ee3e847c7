from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.store import accounts, events, mailboxes
from bridge.store.tables import Account

from support.installation import Installation


@pytest.fixture
def people(here: Installation) -> Installation:
    here.person("Ada Lovelace")
    here.person("Ben Hart", grants={"google": "live", "atlassian": "needs consent"})
    here.person("Cy Moreno", paused=True)
    return here


def account(here: Installation, address: str) -> Account:
    with here.store.read() as session:
        found = accounts.by_address(session, address)
    assert found is not None
    return found


def test_nobody_yet(here: Installation, run: Any) -> None:
    assert run("accounts") == (
        0,
        "Nobody is connected yet.\nConnect the first person: mailbridge connect ADDRESS\n",
        "",
    )


def test_everybody_and_how_they_stand(people: Installation, run: Any) -> None:
    code, said, _ = run("accounts", "list")
    assert code == 0
    lines = said.splitlines()
    assert lines[0] == "3 people: 1 connected, 1 must reconnect, 1 paused."
    assert lines[1].startswith("  ada@example.com   connected as ")
    assert lines[2] == "  ben@example.com   Confluence must be connected again."
    assert lines[3].startswith("  cy@example.com    paused; connected as ")
    assert lines[4] == "Connect again: mailbridge connect ben@example.com"
    assert run("accounts")[1] == said


def test_as_json(people: Installation, run: Any) -> None:
    _, said, _ = run("accounts", "list", "--json")
    found = json.loads(said)
    assert [(one["address"], one["state"], one["gmail"], one["confluence"]) for one in found] == [
        ("ada@example.com", "connected", "live", "live"),
        ("ben@example.com", "must reconnect", "live", "needs consent"),
        ("cy@example.com", "paused", "live", "live"),
    ]


def test_halfway(here: Installation, run: Any) -> None:
    here.person("Ada Lovelace", grants={"google": "live"})
    assert "  ada@example.com   Confluence not connected yet" in run("accounts")[1].splitlines()


def test_pause_and_resume(people: Installation, run: Any) -> None:
    code, said, _ = run("accounts", "pause", "Ada@example.com")
    assert (code, account(people, "ada@example.com").paused) == (0, True)
    assert said.endswith("Go on with: mailbridge resume --account ada@example.com\n")
    assert run("accounts", "pause", "ada@example.com")[0] == 0
    code, _, _ = run("accounts", "resume", "ada@example.com")
    assert (code, account(people, "ada@example.com").paused) == (0, False)
    with people.store.read() as session:
        assert [event.what for event in events.after(session, 0)] == ["paused", "resumed"]
        box = mailboxes.by_account(session, account(people, "ada@example.com").id or 0)
    assert box is not None
    assert box.due_at >= people.now


def test_somebody_unknown(people: Installation, run: Any) -> None:
    code, said, told = run("accounts", "pause", "eve@example.com")
    assert (code, said) == (1, "")
    assert told == "eve@example.com is not connected here. See: mailbridge accounts list\n"
