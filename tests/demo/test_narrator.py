from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.demo.narrator import Narrator
from bridge.store import events

from support.stories import ADA, BEN, CY, Story, story


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Story]:
    with story(tmp_path) as made:
        made.connect(ADA, BEN)
        yield made


class Told:
    """A narrator, and what it said since the last question; times and addresses are cut to what does not vary."""

    def __init__(self, company: Story) -> None:
        self.said: list[str] = []
        self.narrator = Narrator(
            company.company.oauth.store, Path("demo.toml"), lambda person, thread: "Plan", self.said.append
        )

    def news(self) -> list[str]:
        self.narrator.look()
        lines, self.said[:] = list(self.said), []
        assert all(re.match(r"\d\d:\d\d:\d\d  ", line) for line in lines)
        return [re.sub(r"pages/\d+", "pages/ID", line[10:]) for line in lines]


def test_a_label_a_page_and_its_comments(company: Story) -> None:
    told = Told(company)
    assert told.news() == []
    sent = company.send(ADA, BEN, files=[("plan.txt", "text/plain", b"one"), ("more.txt", "text/plain", b"two")])
    company.reply(BEN, ADA, sent, "Good.\n")
    company.label(ADA, sent[ADA][1])
    company.passes(3)
    assert told.news() == [
        'Ada labelled "Plan"',
        "Published as Ada: http://127.0.0.1:1/wiki/spaces/ENG/pages/ID        (1 comment, 2 files)",
    ]
    assert told.news() == []
    company.reply(BEN, ADA, sent, "And one more.\n")
    company.reply(BEN, ADA, sent, "And another.\n")
    company.passes(3)
    assert told.news() == ["2 new comments as Ada: http://127.0.0.1:1/wiki/spaces/ENG/pages/ID"]


def test_a_page_alone(company: Story) -> None:
    told = Told(company)
    sent = company.send(BEN, ADA)
    company.label(BEN, sent[BEN][1])
    company.passes(3)
    assert told.news() == [
        'Ben labelled "Plan"',
        "Published as Ben: http://127.0.0.1:1/wiki/spaces/ENG/pages/ID",
    ]


def test_what_is_held(company: Story) -> None:
    told = Told(company)
    sent = company.send(ADA, BEN, cc=CY)
    company.reply(BEN, ADA, sent, "To you alone.\n")
    company.label(ADA, sent[ADA][1])
    company.passes(3)
    assert "Held until its person decides: a narrow reply. See: mailbridge --config demo.toml held" in told.news()


def test_what_failed(company: Story) -> None:
    told = Told(company)
    with company.company.oauth.store.write() as session:
        events.tell(session, company.clock.now(), "write failed", cause="publish", outcome="The space is gone.")
        events.tell(session, company.clock.now(), "cursor lost", outcome="full pass")
    assert told.news() == ["Write failed (publish): The space is gone."]


def test_a_few_lines_are_kept_for_the_page(company: Story) -> None:
    told = Told(company)
    with company.company.oauth.store.write() as session:
        for number in range(30):
            events.tell(session, company.clock.now(), "write failed", cause="publish", outcome=f"{number}.")
    assert len(told.news()) == 30
    assert [line.rpartition(" ")[2] for line in told.narrator.lines] == [f"{number}." for number in range(10, 30)]
