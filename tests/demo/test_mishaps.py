from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.demo.mishaps import Mishaps
from bridge.sandbox.faults import parse

from support.stories import ADA, BEN, Story, story


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Story]:
    with story(tmp_path) as made:
        made.connect(ADA, BEN)
        yield made


def news(mishaps: Mishaps) -> list[str]:
    lines = mishaps.news()
    assert all(re.match(r"\d\d:\d\d:\d\d  ", line) for line in lines)
    return [line[10:] for line in lines]


def test_what_went_wrong_and_that_it_is_over(company: Story) -> None:
    mishaps = Mishaps(company.world.core, company.company.at_rest)
    assert news(mishaps) == []
    company.world.core.faults.append(parse("500 createPage times=2"))
    company.label(ADA, company.send(BEN, ADA)[ADA][1])
    company.passes(1)
    assert news(mishaps) == ["Went wrong: 500 struck createPage for Ada: The server has a fault of its own"]
    assert news(mishaps) == []
    told: list[str] = []
    for _ in range(8):
        company.passes(1)
        told += news(mishaps)
    assert told == [
        "Went wrong: 500 struck createPage for Ada: The server has a fault of its own",
        "Recovered: nothing waits any more",
    ]
    assert len(company.wiki.pages) == 1
    assert company.again_from_scratch() == []


def test_whose_access_ended_is_connected_again(company: Story) -> None:
    company.world.core.faults.append(parse("401-revoked createPage"))
    company.label(ADA, company.send(BEN, ADA)[ADA][1])
    company.passes(3)
    assert company.wiki.pages == []
    assert company.company.at_rest() is False
    company.world.core.faults.clear()
    company.company.connect_again()
    company.passes(4)
    assert [page.title for page in company.wiki.pages] == ["Plan"]
    assert company.company.at_rest() is True
    assert company.again_from_scratch() == []
