from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from bridge.store.tables import EntryState, FollowState

from support.installation import Installation

Run = Callable[..., tuple[int, str, str]]


def questions(here: Installation) -> None:
    ada = here.person("Ada Lovelace")
    page = here.publication(ada)
    here.follow(ada, "t1", publication_id=page.id)
    here.entry(
        page,
        ada,
        "t1",
        key="qR7",
        state=EntryState.HELD,
        reason="narrow reply",
        detail="This reply did not go to ben@example.com.",
        question="Publish it, or leave it out?",
    )
    for number in range(3):
        here.follow(ada, f"b{number}", state=FollowState.HELD, reason="backlog", question="?")


def test_nothing_held(here: Installation, run: Run) -> None:
    assert run("held") == (0, "Nothing waits for a decision.\n", "")
    assert run("held", "--json") == (0, "[]\n", "")


def test_held(here: Installation, run: Run) -> None:
    questions(here)
    assert run("held") == (
        0,
        "2 questions wait for an answer.\n"
        "  id                            whose             since        choices\n"
        "  backlog:ada@example.com:eng   ada@example.com   2 hours      publish new ignore\n"
        "      3 threads that were labelled before you connected. "
        "Publish them, publish only where something new comes, or ignore them?\n"
        "  qR7                           ada@example.com   10 minutes   publish leave-out\n"
        "      This reply did not go to ben@example.com. Publish it, or leave it out?\n"
        "Answer with: mailbridge answer ID CHOICE\n",
        "",
    )


def test_held_as_json(here: Installation, run: Run) -> None:
    questions(here)
    code, out, _ = run("held", "--json")
    crowd, reply = json.loads(out)
    assert code == 0
    assert (crowd["id"], crowd["threads"], crowd["choices"]) == (
        "backlog:ada@example.com:eng",
        ["b0", "b1", "b2"],
        ["publish", "new", "ignore"],
    )
    assert (reply["id"], reply["address"], reply["reason"]) == ("qR7", "ada@example.com", "narrow reply")
    assert "subject" not in reply


def test_subjects_are_shown_only_where_the_operator_may_see_them(here: Installation, run: Run, tmp_path: Path) -> None:
    questions(here)
    config = here.config.read_text()
    here.config.write_text(config.replace("admin_sees_subjects = false", "admin_sees_subjects = true"))
    assert "      Subject: Release plan\n" in run("held")[1]
    assert [item["subject"] for item in json.loads(run("held", "--json")[1])] == ["", "Release plan"]
