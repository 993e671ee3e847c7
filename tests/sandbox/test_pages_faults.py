"""The page on which a person lets something go wrong, and the same over HTTP for programs."""

from __future__ import annotations

import pytest
from werkzeug.test import Client

from bridge.sandbox.faults import CATALOGUE, parse
from bridge.sandbox.world import World

RULE = "reset-after createFooterComment nth=2"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Client:
    return Client(world.app)


@pytest.mark.parametrize(
    "sent", [{"data": RULE, "content_type": "text/plain"}, {"json": {"rule": RULE}}], ids=["text", "json"]
)
def test_a_program_sets_lists_and_clears(world: World, client: Client, sent: dict[str, object]) -> None:
    answer = client.post("/sandbox/faults", **sent)
    row = {"rule": RULE, "words": CATALOGUE["reset-after"].words, "seen": 0, "struck": 0, "over": False}
    assert (answer.status_code, answer.get_json()) == (201, row)
    assert world.core.faults == [parse(RULE)]
    assert client.get("/sandbox/faults").get_json() == [row]
    assert client.delete("/sandbox/faults").status_code == 204
    assert world.core.faults == []


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"data": "reste", "content_type": "text/plain"}, "There is no fault named reste. Did you mean refuse"),
        ({"json": ["500"]}, 'The body is not {"rule": "..."}.'),
        ({"data": "{", "content_type": "application/json"}, 'The body is not {"rule": "..."}.'),
        ({"data": ""}, "The rule is empty."),
    ],
)
def test_a_faulty_rule_is_refused(world: World, client: Client, sent: dict[str, object], sentence: str) -> None:
    answer = client.post("/sandbox/faults", **sent)
    assert (answer.status_code, world.core.faults) == (400, [])
    assert answer.get_data(as_text=True).startswith(sentence)


def test_the_kinds(client: Client) -> None:
    kinds = {kind["name"]: kind for kind in client.get("/sandbox/faults/kinds").get_json()}
    assert set(kinds) == set(CATALOGUE)
    assert kinds["expired-cursor"]["operations"] == ["gmail.users.history.list"]
    assert kinds["late"]["argument"] == "seconds from 1 to 60"


def test_a_person_presses_a_button(world: World, client: Client) -> None:
    assert "Nothing. All is well." in client.get("/sandbox").get_data(as_text=True)
    form = {"kind": "500", "where": "createPage", "often": "3"}
    assert client.post("/sandbox/faults", data=form).headers["Location"] == "/sandbox"
    text = client.get("/sandbox").get_data(as_text=True)
    assert "<code>500 createPage times=3</code>" in text
    assert "has not struck yet" in text
    assert all(f'value="{name}"' in text for name in CATALOGUE)
    mended: list[int] = []
    world.fault_page.mended = lambda: mended.append(1)
    assert client.post("/sandbox/mend").status_code == 303
    assert "Nothing. All is well." in client.get("/sandbox").get_data(as_text=True)
    assert (world.core.faults, mended) == ([], [1])


def test_a_button_that_fits_no_such_request_says_so_on_the_page(world: World, client: Client) -> None:
    client.post("/sandbox/faults", data={"kind": "409", "where": "google", "often": "1"})
    text = client.get("/sandbox").get_data(as_text=True)
    assert "The fault 409 cannot befall google." in text
    client.post("/sandbox/faults", data={"rule": "skew=-600 atlassian times=always"})
    assert "cannot befall" not in client.get("/sandbox").get_data(as_text=True)
    assert [str(rule) for rule in world.core.faults] == ["skew=-600 atlassian times=always"]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_no_other_page_may_set_a_fault(world: World, client: Client, method: str) -> None:
    headers = {"Origin": "http://elsewhere.example.com"}
    answer = client.open("/sandbox/faults", method=method, headers=headers, data={"rule": "500"})
    assert (answer.status_code, world.core.faults) == (403, [])


@pytest.mark.parametrize(("method", "path"), [("GET", "/sandbox/else"), ("POST", "/sandbox/else")])
def test_elsewhere(client: Client, method: str, path: str) -> None:
    assert client.open(path, method=method).status_code == 404


def test_the_state_changes_with_the_rules(client: Client) -> None:
    before = client.get("/sandbox/state.json").get_json()["stamp"]
    client.post("/sandbox/faults", data="500", content_type="text/plain")
    assert client.get("/sandbox/state.json").get_json()["stamp"] != before
    assert "submit" in client.get("/sandbox/live.js").get_data(as_text=True)
