from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from bridge.store import follows, threads
from bridge.store.tables import FollowState

from support.installation import Installation

Run = Callable[..., tuple[int, str, str]]

PAGE = "https://example.atlassian.net/wiki/spaces/ENG/pages/1001"


@pytest.fixture(autouse=True)
def by_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "root")


@pytest.fixture
def published(here: Installation) -> Installation:
    ada = here.person("Ada Lovelace")
    page = here.publication(ada, url=f"{PAGE}/Secret+plan")
    here.follow(ada, "t1", publication_id=page.id)
    here.touched(ada, "t1", due_at=here.now)
    return here


def state(here: Installation) -> tuple[FollowState, str]:
    with here.store.read() as session:
        (follow,) = follows.of_any_mailbox(session, "t1")
    return follow.state, follow.reason


def test_a_thread_is_let_go_and_what_stands_is_named_without_its_subject(published: Installation, run: Run) -> None:
    assert run("forget", "t1") == (
        0,
        "Not followed any more: thread t1 of ada@example.com, route eng.\n"
        f"  Stays as it is: {PAGE}\n"
        "Its label means nothing until it is taken off and put on again.\n"
        "Take it back: mailbridge forget t1 --undo\n",
        "",
    )
    assert state(published) == (FollowState.IGNORED, "forgotten")
    with published.store.read() as session:
        assert threads.count(session) == 0
    assert run("forget", "t1") == (0, "It was not followed.\n", "")


def test_it_is_taken_back(published: Installation, run: Run) -> None:
    assert run("forget", "t1", "--undo") == (0, "Nothing was forgotten there.\n", "")
    run("forget", f"{PAGE}/Secret+plan")
    assert run("forget", "t1", "--undo") == (
        0,
        "Followed again: thread t1 of ada@example.com, route eng.\n"
        "What came meanwhile is published now. See: mailbridge status\n",
        "",
    )
    assert state(published) == (FollowState.FOLLOWING, "")


def test_json(published: Installation, run: Run) -> None:
    assert json.loads(run("forget", "1001", "--json")[1]) == [
        {"thread": "t1", "address": "ada@example.com", "route": "eng", "url": PAGE}
    ]


def test_nothing_is_known_of_it(published: Installation, run: Run) -> None:
    code, out, err = run("forget", "t2")
    assert (code, out) == (1, "")
    assert err.startswith('Nothing is followed under "t2". ')
