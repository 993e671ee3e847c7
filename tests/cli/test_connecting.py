from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bridge.cli.connecting import Connecting
from bridge.errors import ConsentFailed
from bridge.store.tables import Follow, FollowState, GrantState, Mailbox

from support.consents import ADA, BASE, BEN, START, Office, query, refusal
from support.google import mail

Typed = str | Callable[[], str | None]


class Script:
    """Stands for the terminal: types what it is told, one line each time that it is asked."""

    def __init__(self, office: Office, typed: list[Typed]) -> None:
        self._office, self._typed = office, typed

    @property
    def ended(self) -> bool:
        return not self._typed

    def line(self, seconds: float) -> str | None:
        self._office.clock.advance(seconds)
        if not self._typed:
            return None
        next_one = self._typed.pop(0)
        return next_one if isinstance(next_one, str) else next_one()


class Run:
    """One run of the command and what it said."""

    def __init__(self, office: Office, *typed: Typed, address: str = ADA, again: bool = False) -> None:
        self.said = ""
        script: Any = Script(office, list(typed))
        self._office, self._connecting = office, Connecting(office.opened, address, script, self._say, again)

    def _say(self, line: str, nl: bool = True) -> None:
        self.said += line + ("\n" if nl else "")

    def __call__(self) -> bool:
        return self._connecting.run()

    def link(self) -> str:
        return self.said.rpartition(f"{BASE}/")[0] and f"{BASE}/{self.said.rpartition(f'{BASE}/')[2].split()[0]}"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


def paste(office: Office, run: list[Run], person: str = ADA) -> Callable[[], str]:
    """Open the link that was said last, press Allow, and paste where the browser ends."""

    def typed() -> str:
        link = run[0].link()
        half: Any = office.world.google.oauth if "/google/" in link else office.world.atlassian
        return str(half.approve(link, person))

    return typed


def browse(office: Office, run: list[Run], person: str = ADA) -> Callable[[], None]:
    """Open the link that was said last, press Allow; the running service finishes it."""

    def opened() -> None:
        link = run[0].link()
        answer = query(paste(office, run, person)())
        provider: Any = "google" if "/google/" in link else "atlassian"
        office.install(seed=40 + len(link)).consents.finish(provider, answer["state"], code=answer["code"])

    return opened


def own_link(run: list[Run]) -> Callable[[], str]:
    """Paste the link itself instead of where it ends."""

    def typed() -> str:
        return run[0].link()

    return typed


def running(office: Office, *typed: Callable[[list[Run]], Typed] | str, **more: Any) -> Run:
    """Make a run whose lines may depend on what it has said so far."""
    holder: list[Run] = []
    lines: list[Typed] = [line if isinstance(line, str) else line(holder) for line in typed]
    holder.append(Run(office, *lines, **more))
    return holder[0]


@pytest.mark.parametrize("way", [paste, browse])
def test_both_steps(office: Office, way: Any) -> None:
    run = running(office, lambda held: way(office, held), lambda held: way(office, held))
    assert run()
    lines = run.said.splitlines()
    assert lines[0].startswith(f"Step 1 of 2: Gmail. Open this as ada@example.com:  {BASE}/google/o/oauth2/auth?")
    assert lines[1] == (
        '  Google will say "View your email messages and settings". '
        "It has no narrower permission; only labelled threads are opened."
    )
    assert lines[2] == "  Waiting. On another computer? Paste the address your browser ends at:  "
    assert lines[3].startswith(
        f"Gmail of ada@example.com is connected. Step 2 of 2: Confluence. Open:  {BASE}/atlassian/authorize?"
    )
    assert lines[-1] == (
        'Connected as Ada Lovelace on 127.0.0.1:1. Now label a thread "Confluence/ENG" in Gmail. 0 threads have it yet.'
    )
    # Nothing was labelled before, so nothing needs to be asked about.
    assert (office.box().backlog, office.box().due_at) == ("publish", office.clock.now())


def test_the_wrong_account_ends_it(office: Office) -> None:
    run = running(office, lambda held: paste(office, held, ADA), address=BEN)
    assert not run()
    assert run.said.splitlines()[-2:] == [
        "You signed in as ada@example.com, not as ben@example.com. "
        "Nothing was kept. Start again and choose ben@example.com.",
        "Begin again with: mailbridge connect ben@example.com",
    ]
    assert not office.has_grant("google", BEN)


def test_what_is_pasted_by_mistake(office: Office) -> None:
    run = running(
        office,
        "hello",
        own_link,
        "http://localhost:8765/oauth/google?state=another&code=x",
        lambda held: paste(office, held),
        lambda held: paste(office, held),
    )
    assert run()
    assert run.said.count("That is not the address that this link ends at.") == 3


def test_nobody_answers(office: Office) -> None:
    with pytest.raises(ConsentFailed, match="Nobody answered within ten minutes"):
        running(office)()
    assert office.clock.now() - START == timedelta(minutes=10)


def test_a_second_run_asks_only_for_what_is_missing(office: Office) -> None:
    office.consent("google", ADA)
    run = running(office, lambda held: paste(office, held))
    assert run()
    assert "Step 1" not in run.said
    assert run.said.startswith("Gmail of ada@example.com is connected already (anew with --again). Step 2 of 2:")
    third = running(office)
    assert third()
    assert third.said == (
        "Gmail of ada@example.com is connected already (anew with --again). "
        "Confluence is connected already as Ada Lovelace on 127.0.0.1:1. "
        'Now label a thread "Confluence/ENG" in Gmail. 0 threads have it yet.\n'
    )
    again = running(office, lambda held: paste(office, held), lambda held: paste(office, held), again=True)
    assert again()
    assert (office.grant("google").generation, office.grant("atlassian").generation) == (2, 2)


def test_a_connection_that_ended_is_made_again(office: Office) -> None:
    office.connect(ADA)
    with office.store.write() as session:
        grant = session.get_one(type(office.grant("atlassian")), office.grant("atlassian").id)
        grant.state, grant.reason = GrantState.NEEDS_CONSENT, "Atlassian ended the connection."
    run = running(office, lambda held: paste(office, held))
    assert run()
    assert "Step 2 of 2: Confluence." in run.said
    assert office.grant("atlassian").state is GrantState.LIVE


@pytest.mark.parametrize("typed", [["2"], ["0", "x", "3", "2"]])
def test_a_site_is_chosen_by_its_number(office: Office, typed: list[str]) -> None:
    second = office.world.atlassian.add_site("second", url="https://second.atlassian.net")
    office.world.atlassian.person(ADA).sites.append(second.cloud_id)
    office.sites(BASE, second.url)
    run = running(office, lambda held: paste(office, held), lambda held: paste(office, held), *typed)
    assert run()
    assert "  1  http://127.0.0.1:1\n  2  https://second.atlassian.net\n  Its number:  " in run.said
    assert run.said.count("Type a number from 1 to 2.") == len(typed) - 1
    assert office.grant("atlassian").cloud_id == second.cloud_id


def label(office: Office, count: int) -> None:
    box: Any = office.world.google.gmail
    box.create_label(ADA, "Confluence/ENG")
    for number in range(count):
        _, thread = box.deliver(ADA, mail(f"Plan {number}"))
        box.label_thread(ADA, thread, "Confluence/ENG")


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("publish", "They are published now."),
        ("New", "They are published when something new comes to them."),
        ("ignore", "They are left alone."),
    ],
)
def test_the_backlog_is_asked_about(office: Office, choice: str, said: str) -> None:
    label(office, 3)
    run = running(office, lambda held: paste(office, held), lambda held: paste(office, held), "maybe", choice)
    assert run()
    assert "3 threads have such a label already." in run.said
    assert "Type publish, new or ignore:" in run.said
    assert run.said.endswith(f"{said}\n")
    assert (office.box().backlog, office.box().due_at) == (choice.lower(), office.clock.now())


def test_a_backlog_that_nobody_answers_about_is_held(office: Office) -> None:
    label(office, 1)
    run = running(office, lambda held: paste(office, held), lambda held: paste(office, held))
    assert run()
    assert "1 thread has such a label already." in run.said
    assert run.said.endswith("They are held until you answer. See them with: mailbridge held\n")
    assert office.box().backlog == "ask"


def test_where_the_configuration_answers_nobody_is_asked(office: Office) -> None:
    label(office, 2)
    office.safety(backlog="ignore")
    run = running(office, lambda held: paste(office, held), lambda held: paste(office, held))
    assert run()
    assert run.said.endswith("2 threads have such a label already.\n")
    assert office.box().backlog == "ask"


def test_an_answer_after_the_first_pass_reaches_what_is_held_already(office: Office) -> None:
    label(office, 1)
    office.connect(ADA)
    box = office.box()
    with office.store.write() as session:
        session.get_one(Mailbox, box.id).full_pass_at = START
        session.add(
            Follow(
                mailbox_id=box.id or 0,
                thread_id="t1",
                route="eng",
                state=FollowState.HELD,
                reason="backlog",
                question="Publish?",
                since=START,
                labelled_at=START,
                not_before=START,
            )
        )
    assert running(office, "publish")()
    with office.store.read() as session:
        [follow] = session.exec(select(Follow)).all()
    assert (follow.state, follow.answer) == (FollowState.FOLLOWING, "publish")


def test_gmail_that_does_not_answer_does_not_undo_the_connection(office: Office) -> None:
    office.strike("gmail.users.labels.list", "answer", refusal(503, ""), times=None)
    run = running(office, lambda held: paste(office, held), lambda held: paste(office, held))
    assert run()
    assert "How many have a label already could not be seen:" in run.said


def test_without_a_route_there_is_nothing_to_label_yet(office: Office) -> None:
    office.chosen = replace(office.chosen, routes=())
    run = running(office, lambda held: paste(office, held), lambda held: paste(office, held))
    assert run()
    assert run.said.endswith("There is no route yet: add one to the configuration, then label a thread in Gmail.\n")
