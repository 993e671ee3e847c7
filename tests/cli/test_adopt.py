from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.sync.adopt_order import Found, Looked

from support.installation import Installation
from support.served import ADA, ENG, HR, served

Run = Callable[..., tuple[int, str, str]]

ENG_READ = Looked("pages in space ENG", "ada@example.com")
HR_NOT = Looked("pages in space HR", "ada@example.com", 'Space "HR" is not shown to them. Ask its admin for access.')
HR_READ = Looked("pages in space HR", "ben@example.com")
LAST = "Each thread takes what is its own when it is looked at. What waits for an answer: mailbridge held\n"


@pytest.fixture
def finds(monkeypatch: pytest.MonkeyPatch) -> Callable[[Found], None]:
    """Let the command find something."""

    def arrange(found: Found) -> None:
        monkeypatch.setattr("bridge.cli.adopt.searched", lambda opened: found)

    return arrange


def test_what_was_found_is_said(here: Installation, run: Run, finds: Callable[[Found], None]) -> None:
    finds(Found(1000, 2345, 1001, 3344, (ENG_READ,)))
    assert run("adopt") == (0, f"Found 1,000 pages and 2,345 comments of 1,001 threads, 3,344 of them new.\n{LAST}", "")
    finds(Found(1, 0, 1, 0, (ENG_READ,)))
    assert run("adopt") == (0, f"Found 1 page and 0 comments of 1 thread, none of them new.\n{LAST}", "")


def test_what_one_could_not_read_and_another_could(
    here: Installation, run: Run, finds: Callable[[Found], None]
) -> None:
    finds(Found(1, 0, 1, 1, (ENG_READ, HR_NOT, HR_READ)))
    code, out, _ = run("adopt")
    assert (code, out.splitlines()[1]) == (
        0,
        'Not read as ada@example.com: pages in space HR. Space "HR" is not shown to them. Ask its admin for access.',
    )


def test_what_nobody_could_read(here: Installation, run: Run, finds: Callable[[Found], None]) -> None:
    finds(Found(1, 0, 1, 1, (ENG_READ, HR_NOT)))
    code, out, _ = run("adopt")
    assert (code, out.splitlines()[2]) == (
        3,
        "Nobody who is connected could read: pages in space HR. What stands there might be published a second time. "
        "Mend that, then run it again: mailbridge adopt",
    )
    finds(Found(0, 0, 0, 0, (HR_NOT,)))
    assert run("adopt")[0] == 1


def test_nobody_is_connected(here: Installation, run: Run) -> None:
    code, out, _ = run("adopt")
    assert (code, out) == (
        1,
        "Nobody is connected to Confluence, so nothing could be searched.\n"
        "Have them connect first: mailbridge connect ADDRESS\n",
    )


def test_as_json(here: Installation, run: Run, finds: Callable[[Found], None]) -> None:
    finds(Found(1, 2, 1, 3, (ENG_READ, HR_NOT)))
    code, out, _ = run("adopt", "--json")
    assert (code, json.loads(out)) == (
        3,
        {
            "pages": 1,
            "comments": 2,
            "threads": 1,
            "new": 3,
            "searched": [
                {"place": "pages in space ENG", "person": "ada@example.com", "problem": ""},
                {"place": "pages in space HR", "person": "ada@example.com", "problem": HR_NOT.problem},
            ],
            "unread": ["pages in space HR"],
        },
    )


def test_a_search_of_a_running_company(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(tmp_path) as site:
        site.write(ENG, HR)
        with site.opened() as opened:
            site.connect(opened, ADA)
        for name, value in site.environ.items():
            monkeypatch.setenv(name, value)
        code, out, told = run("adopt")
    assert (code, out) == (0, f"Found 0 pages and 0 comments of 0 threads, none of them new.\n{LAST}")
    assert told.splitlines() == [
        f"Searching pages in space ENG as {ADA} ...",
        f"Searching pages in space HR as {ADA} ...",
    ]
