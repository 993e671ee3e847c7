from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from bridge.store import follows, publications
from bridge.store.tables import EntryState, FollowState, Mailbox, Publication

from support.installation import Installation

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def reply(here: Installation) -> tuple[Mailbox, Publication]:
    ada = here.person("Ada Lovelace")
    page = here.publication(ada)
    here.follow(ada, "t1", publication_id=page.id)
    here.entry(page, ada, "t1", key="qR7", state=EntryState.HELD, reason="narrow reply", question="?")
    return ada, page


def state(here: Installation, page: Publication) -> EntryState:
    with here.store.read() as session:
        return publications.entries(session, page.id or 0)[0].state


def test_publish_while_the_service_runs(here: Installation, run: Run, reply: tuple[Mailbox, Publication]) -> None:
    here.daemon(started=here.now, looked=here.now)
    assert run("answer", "qR7", "publish") == (
        0,
        "To be published within seconds: a reply of ada@example.com.\n",
        "",
    )
    assert state(here, reply[1]) is EntryState.PLANNED


def test_publish_while_it_does_not(here: Installation, run: Run, reply: tuple[Mailbox, Publication]) -> None:
    assert run("answer", "qR7", "publish")[1] == (
        "To be published: a reply of ada@example.com.\n"
        "The service does not run. Start it: mailbridge run   (or one pass: mailbridge sync)\n"
    )


def test_leave_out(here: Installation, run: Run, reply: tuple[Mailbox, Publication]) -> None:
    assert run("answer", "qR7", "leave-out")[1] == ("Left out: a reply of ada@example.com. In Gmail nothing changes.\n")
    assert state(here, reply[1]) is EntryState.GIVEN_UP


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("new", "Left alone until a new mail comes: 3 threads of ada@example.com.\n"),
        ("ignore", "Left alone: 3 threads of ada@example.com.\n"),
    ],
)
def test_a_crowd(here: Installation, run: Run, choice: str, said: str) -> None:
    ada = here.person("Ada Lovelace")
    for number in range(3):
        here.follow(ada, f"b{number}", state=FollowState.HELD, reason="brake", question="?")
    assert run("answer", "brake:ada@example.com:eng", choice) == (0, said, "")
    with here.store.read() as session:
        assert {(f.state, f.answer) for f in follows.of_mailbox(session, ada.id or 0)} == {
            (FollowState.IGNORED, choice)
        }


def test_a_wrong_choice_lists_the_right_ones(here: Installation, run: Run, reply: tuple[Mailbox, Publication]) -> None:
    assert run("answer", "qR7", "yes") == (1, "", '"yes" is no answer to this. Use "publish" or "leave-out".\n')
    assert state(here, reply[1]) is EntryState.HELD


def test_an_unknown_question(here: Installation, run: Run) -> None:
    assert run("answer", "nope", "publish") == (1, "", 'Nothing waits under "nope". See: mailbridge held\n')


def test_as_json(here: Installation, run: Run, reply: tuple[Mailbox, Publication]) -> None:
    code, out, _ = run("answer", "qR7", "publish", "--json")
    assert code == 0
    assert json.loads(out) == {"id": "qR7", "address": "ada@example.com", "choice": "publish", "threads": 1}
